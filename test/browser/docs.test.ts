// slow: it starts a browser
// no database: the page knows the contract alone
import t from 'tap'
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
  '/docs: what is tried first works, with nothing filled in but what is needed',
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
      for (const input of await block.locator('tr:not(:has(.required)) input[type="text"]').all())
        t.equal(await input.inputValue(), '', `${name}: ${await input.getAttribute('placeholder')}`)
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
