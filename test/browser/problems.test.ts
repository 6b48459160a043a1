// slow: it starts a browser
// no database: pages that say what problems mean
import t from 'tap'
import { kindNames, kinds, typeOf } from '../../src/problems/kinds.js'
import { inBrowser, openBrowser, visit } from '../support/browser.js'
import { build } from '../support/build.js'

t.test('every page of a problem is read on a phone, and leads to all', inBrowser, async (t) => {
  const browser = await openBrowser(t)
  const app = await build(t)
  const url = await app.listen({ port: 0 })
  const options = { viewport: { width: 390, height: 844 } }
  const { page, faults } = await visit(t, browser, `${url}/problems/`, options)
  const width = () => page.evaluate('document.documentElement.scrollWidth')
  t.equal(await width(), 390)
  for (const kind of kindNames) {
    const { title, remedy } = kinds[kind]
    await page.getByRole('link', { name: title, exact: true }).click()
    await page.getByRole('heading', { name: title, level: 1 }).waitFor()
    // With its styles.
    await page.waitForLoadState()
    t.equal(new URL(page.url()).pathname, typeOf(kind))
    t.match(await page.locator('main').textContent(), remedy.replaceAll('`', ''), kind)
    t.equal(await width(), 390, kind)
    await page.getByRole('link', { name: 'All problems' }).click()
    await page.getByRole('heading', { name: 'Problems' }).waitFor()
  }
  t.strictSame(faults, [])
})
