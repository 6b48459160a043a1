// slow: it starts a browser
// no database: the page knows the contract alone
import type { Page } from 'playwright-core'
import t from 'tap'
import { GUIDE } from '../../src/http/guide.js'
import { accessibilityFaults } from '../support/axe.js'
import { inBrowser, openBrowser, visit } from '../support/browser.js'
import { build } from '../support/build.js'
import { operations } from '../support/contract.js'

t.test('/docs lists every operation, and asks nobody else', inBrowser, async (t) => {
  const app = await build(t)
  const browser = await openBrowser(t)
  const { page, faults } = await visit(t, browser, `${await app.listen({ port: 0 })}/docs`)

  const { paths } = (await app.inject('/openapi.json')).json() as {
    paths: Record<string, object>
  }
  const declared = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const blocks = page.locator('.opblock')
  await blocks.nth(declared.length - 1).waitFor()
  const listed = await blocks.evaluateAll((elements) =>
    elements.map((element) =>
      ['.opblock-summary-method', '.opblock-summary-path']
        .map((part) => element.querySelector(part)?.textContent?.replaceAll('\u200b', ''))
        .join(' '),
    ),
  )
  t.strictSame(listed.sort(), declared.sort())

  t.strictSame(faults, [])
})

t.test(
  '/docs: what is tried first works, with nothing filled in but what is needed and a limit',
  inBrowser,
  async (t) => {
    const app = await build(t)
    const browser = await openBrowser(t)
    const { page, faults } = await visit(t, browser, `${await app.listen({ port: 0 })}/docs`)
    // The first creates employees, whom others change, read and delete.
    t.equal(operations[0]?.method, 'POST')
    for (const { name, method } of operations) {
      const block = page.locator(`.opblock[id$="-${name}"]`)
      await block.locator('.opblock-summary-control').click()
      await block.getByRole('button', { name: 'Try it out' }).click()
      const status = block.locator('.live-responses-table .response .response-col_status')
      for (let times = 0; times < (method === 'POST' ? 2 : 1); times++) {
        await block.getByRole('button', { name: 'Execute' }).click()
        await status.waitFor()
        t.match(await status.textContent(), /^2\d\d/, name)
      }
      for (const input of await block.locator('tr:not(:has(.required)) input[type="text"]').all()) {
        const field = await input.getAttribute('placeholder')
        // A page of everybody, whom no browser can show at once.
        t.equal(await input.inputValue(), field === 'limit' ? '100' : '', `${name}: ${field}`)
      }
      await block.locator('.opblock-summary-control').click()
    }
    t.match(
      (await app.inject('/employees')).json(),
      [{ id: 2, name: 'Ada Lovelace' }],
      'two were created, one deleted',
    )
    t.strictSame(faults, [])
  },
)

t.test('/docs begins with a guide, and has a title and a language', inBrowser, async (t) => {
  const app = await build(t)
  const browser = await openBrowser(t)
  const { page } = await visit(t, browser, `${await app.listen({ port: 0 })}/docs`)
  await page.locator('.opblock').first().waitFor()
  t.equal(await page.title(), 'Employees API')
  t.equal(await page.evaluate('document.documentElement.lang'), 'en')
  const guide = page.locator('.info .renderedMarkdown')
  const headings = [...GUIDE.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
  t.ok(headings.length >= 5)
  t.strictSame(await guide.locator('h2').allTextContents(), headings)
  const [above, below] = await Promise.all([
    guide.boundingBox(),
    page.locator('.opblock').first().boundingBox(),
  ])
  t.ok((above?.y ?? 0) < (below?.y ?? 0))
})

for (const colorScheme of ['light', 'dark'] as const) {
  t.test(`/docs, ${colorScheme}: axe finds nothing, whatever is open`, inBrowser, async (t) => {
    const app = await build(t)
    const browser = await openBrowser(t)
    const url = `${await app.listen({ port: 0 })}/docs`
    const { page, faults } = await visit(t, browser, url, { colorScheme })
    await page
      .locator('.opblock')
      .nth(operations.length - 1)
      .waitFor()
    t.equal(await lightness(page), colorScheme)
    t.strictSame(await accessibilityFaults(page), [])

    // One of each colour: axe takes seconds for each that is open.
    const byMethod = new Map(operations.map(({ method, name }) => [method, name]))
    byMethod.set('POST', operations[0]?.name as string)
    for (const name of byMethod.values()) {
      const block = page.locator(`.opblock[id$="-${name}"]`)
      await block.locator('.opblock-summary-control').click()
      await block.getByRole('button', { name: 'Try it out' }).click()
    }
    const first = page.locator(`.opblock[id$="-${operations[0]?.name}"]`)
    await first.getByRole('button', { name: 'Execute' }).click()
    await first.locator('.live-responses-table').waitFor()
    t.strictSame(await accessibilityFaults(page), [])

    await page.getByRole('button', { name: 'Authorize' }).first().click()
    await page.getByRole('button', { name: 'Close' }).first().waitFor()
    t.strictSame(await accessibilityFaults(page), [])
    t.strictSame(faults, [])
  })
}

t.test('/docs: nothing is wider than a telephone of 320 pixels', inBrowser, async (t) => {
  const app = await build(t)
  const browser = await openBrowser(t)
  const url = `${await app.listen({ port: 0 })}/docs`
  const { page } = await visit(t, browser, url, { viewport: { width: 320, height: 640 } })
  await page
    .locator('.opblock')
    .nth(operations.length - 1)
    .waitFor()
  const width = () => page.evaluate('document.documentElement.scrollWidth')
  t.equal(await width(), 320)
  for (const { name } of operations) {
    const block = page.locator(`.opblock[id$="-${name}"]`)
    await block.locator('.opblock-summary-control').click()
    await block.getByRole('button', { name: 'Try it out' }).click()
    t.equal(await width(), 320, name)
  }
})

/** Which of both its background is. */
function lightness(page: Page): Promise<string> {
  return page.evaluate(`{
    const [red] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g)
    red > 127 ? 'light' : 'dark'
  }`)
}
