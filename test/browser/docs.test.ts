// slow: it starts a browser
import t from 'tap'
import { inBrowser, openBrowser, visit } from '../support/browser.js'
import { build } from '../support/build.js'

t.test(
  '/docs lists every operation, creates an employee, and asks nobody else',
  inBrowser,
  async (t) => {
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

    const create = page.locator('#operations-employees-createEmployee')
    await create.locator('.opblock-summary-control').click()
    await create.getByRole('button', { name: 'Try it out' }).click()
    const ada = { name: 'Ada Lovelace', salary: 180_000, department: 'Engineering' }
    await create.locator('textarea').fill(JSON.stringify(ada))
    await create.getByRole('button', { name: 'Execute' }).click()
    const answer = create.locator('.live-responses-table')
    await answer.locator('.response-col_status', { hasText: '201' }).waitFor()
    await answer.getByText('Ada Lovelace').first().waitFor()
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
    t.strictSame(faults, [])
  },
)
