// slow: it starts a browser
// no database: the page has its figures in it
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { pageOf } from '../../bench/report/page.js'
import { inBrowser, openBrowser, visit } from '../support/browser.js'

const RESULTS = new URL('../../../bench/results/latest.json', import.meta.url)

t.test('the page of the benchmark', inBrowser, async (t) => {
  const results = JSON.parse(await readFile(RESULTS, 'utf8'))
  const browser = await openBrowser(t)

  for (const width of [320, 1200]) {
    t.test(`fits ${width} pixels, all of its parts, and asks nobody`, async (t) => {
      const size = { viewport: { width, height: 800 } }
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
    })
  }

  t.test('shows the same figures as bars and in its table', async (t) => {
    const { page } = await visit(t, browser, 'about:blank')
    await page.setContent(await pageOf(results))
    const table = await page
      .locator('#rows tr')
      .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)))
    for (const [chart, column, digits] of [
      ['limits', '× limit', 2],
      ['all', 'CPU µs', 1],
    ] as const) {
      const { labels, datasets } = (await page.evaluate(
        `(({ labels, datasets }) => ({ labels, datasets: datasets.map(({ label, data }) => ({ label, data })) }))(Chart.getChart('${chart}').data)`,
      )) as { labels: string[][]; datasets: { label: string; data: number[] }[] }
      const at = table[0]?.indexOf(column) as number
      for (const { label, data } of datasets.filter(({ label }) => label.startsWith('service'))) {
        const server = label.replace(' with ', ' + ')
        const shown = labels.map(
          (lines) => table.find(([name, of]) => name === lines.join(', ') && of === server)?.[at],
        )
        t.ok(shown.length > 0)
        t.strictSame(
          data.map((figure) => figure.toFixed(digits)),
          shown,
          `${chart}: ${label}`,
        )
      }
    }
  })
})
