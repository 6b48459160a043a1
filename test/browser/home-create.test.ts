// slow: it starts a browser
import t from 'tap'
import { inBrowser, openBrowser } from '../support/browser.js'
import { build } from '../support/build.js'
import { chart, create, fact, open } from '../support/home-page.js'
import { shownViews } from '../support/shown-views.js'

const ada = { name: 'Ada Byron', salary: 105_000, department: 'Engineering' }

t.test('the page at /', inBrowser, async (t) => {
  const browser = await openBrowser(t)

  t.test('creates somebody, and shows which views that changed', async (t) => {
    const app = await build(t)
    const { page, faults } = await open(t, browser, app)
    await page.getByText('There are no employees yet').waitFor()
    await create(page, ada)
    const all = shownViews.map(({ path }) => path).sort()
    const outcome = page.locator('#outcome')
    await outcome.getByText(`${ada.name} is employee 1`).waitFor()
    const told = /Changed: (.*)\.$/.exec((await outcome.textContent()) ?? '')?.[1]
    t.strictSame(told?.split(', ').sort(), all)
    t.strictSame(await chart(page), [['Engineering', 'Ada Byron', '105,000', '100%']])
    t.notOk(await page.getByText('There are no employees yet').isVisible())

    await create(page, { ...ada, name: 'Second', salary: 90_000 })
    await outcome.getByText('Changed: /employees/top2-by-department.').waitFor()
    await create(page, { ...ada, name: 'Third', salary: 80_000 })
    await outcome.getByText('No cached view shows that').waitFor()
    t.strictSame(faults, [])

    await create(page, { ...ada, name: ' ' })
    await outcome.getByText('name must').waitFor()
    t.equal(await page.getByLabel('Name', { exact: true }).getAttribute('aria-invalid'), 'true')
    t.equal(await page.evaluate('document.activeElement.id'), 'name')
  })

  t.test('fills an empty database with a thousand people, and no other', async (t) => {
    const app = await build(t)
    const { page, faults } = await open(t, browser, app)
    const fill = page.getByRole('button', { name: 'Fill it with 1,000 people' })
    await fill.click()
    await page.locator('#outcome').getByText('1,000 people were created. Changed: ').waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'outcome')
    await fact(page, 'Employees').getByText('1,000').waitFor()
    t.notOk(await fill.isVisible())
    t.equal((await app.inject('/employees')).json().length, 1000)
    t.ok((await chart(page)).length >= 16)
    t.strictSame(faults, [])
  })
})
