// slow: it starts a browser
// no database: the page has its figures in it
import t from 'tap'
import { barsOf, linesOf } from '../../bench/report/charts.js'
import { pageOf } from '../../bench/report/page.js'
import { tablesOf } from '../../bench/report/tables.js'
import { benchResults } from '../support/bench-results.js'
import { inBrowser, openBrowser, visit } from '../support/browser.js'

const results = benchResults()

t.test('the page of the benchmark', inBrowser, async (t) => {
  const browser = await openBrowser(t)

  for (const width of [320, 1200]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      t.test(
        `fits ${width} pixels, all of its parts, ${colorScheme}, and asks nobody`,
        async (t) => {
          const size = { viewport: { width, height: 800 }, colorScheme }
          const { page, faults } = await visit(t, browser, 'about:blank', size)
          await page.setContent(await pageOf(results))
          await page.locator('#rows td').last().waitFor()
          t.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
          const beyond = page
            .locator('body *')
            .evaluateAll(
              (parts, width) =>
                parts
                  .filter((part) => part.getBoundingClientRect().right > width)
                  .map((part) => part.outerHTML),
              width,
            )
          t.strictSame(await beyond, [])
          t.strictSame(faults, [])
        },
      )
    }
  }

  t.test('shows every table with its caption, and what heads its columns and rows', async (t) => {
    const { page } = await visit(t, browser, 'about:blank')
    await page.setContent(await pageOf(results))
    for (const { id, head, body } of tablesOf(results)) {
      const table = page.locator(`table#${id}`)
      t.ok(await table.locator('caption').textContent(), id)
      t.strictSame(await table.locator('thead th[scope=col]').allTextContents(), head, id)
      const cells = await table
        .locator('tbody tr')
        .evaluateAll((rows) =>
          rows.map((row) => [...row.children].map(({ textContent }) => textContent)),
        )
      t.strictSame(cells, body, id)
      t.equal(await table.locator('tbody th[scope=row]').count(), body.length, id)
    }
  })

  t.test(
    'shows the figures of its tables as bars and lines, each named and described',
    async (t) => {
      const { page } = await visit(t, browser, 'about:blank')
      await page.setContent(await pageOf(results))
      const ids = await page.locator('canvas').evaluateAll((all) => all.map(({ id }) => id))
      const charts = [...barsOf(results), ...linesOf(results)]
      t.strictSame(ids.sort(), charts.map(({ id }) => id).sort())
      for (const { id, sets } of charts) {
        const shown = await page.evaluate(
          `Chart.getChart('${id}').data.datasets.map(({ label, data }) => ({ label, data }))`,
        )
        t.strictSame(JSON.parse(JSON.stringify(shown)), JSON.parse(JSON.stringify(sets)), id)
        const canvas = page.locator(`#${id}`)
        t.equal(await canvas.getAttribute('role'), 'img')
        t.match(await canvas.getAttribute('aria-label'), /table/)
      }
    },
  )

  t.test('has in its bars what is written in the table beside them', async (t) => {
    const [peers, forms] = ['peers', 'forms'].map((id) =>
      tablesOf(results).find((table) => table.id === id),
    )
    const bars = barsOf(results)
    const limits = bars.find(({ id }) => id === 'limits')
    for (const [i, name] of (limits?.labels ?? []).entries()) {
      const written = peers?.body.find(([first]) => first === name)?.join(' ')
      for (const { data, label } of limits?.sets.slice(1) ?? []) {
        const ratio = data[i]
        if (ratio !== undefined)
          t.ok(written?.includes(`${ratio.toFixed(2)} ×`), `${name}, ${label}`)
      }
    }
    const bytes = bars.find(({ id }) => id === 'bytes')?.sets[0]?.data
    t.strictSame(
      bytes?.map((number) => number?.toLocaleString('en-US')),
      forms?.body.map((row) => row[2]),
    )
  })
})
