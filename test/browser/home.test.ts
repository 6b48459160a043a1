// slow: it starts a browser
import { spawn } from 'node:child_process'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { dialect } from '../support/any-database.js'
import { inBrowser, openBrowser, visit } from '../support/browser.js'
import { type App, build } from '../support/build.js'
import { apiKeys, readKey, writeKey } from '../support/keys.js'
import { outcome } from '../support/outcome.js'
import { shellOf } from '../support/shell.js'
import { shownViews } from '../support/shown-views.js'
import { setChangeTimes } from '../support/view-versions.js'

const ada = { name: 'Ada Byron', salary: 105_000, department: 'Engineering' }
const grace = { name: 'Grace', salary: 210_000, department: 'Engineering' }
const tom = { name: 'Tom', salary: 52_500, department: 'Sales' }
const PHONE = { viewport: { width: 390, height: 844 } }

t.test('the page at /', inBrowser, async (t) => {
  const browser = await openBrowser(t)

  t.test('shows what happens to the cached views', async (t) => {
    const app = await build(t)
    const { page, faults } = await open(t, browser, app)
    await figure(page, 'Last fill', 'not yet').waitFor()
    await figure(page, 'Hits', '0').waitFor()

    await app.inject('/employees/high-salary')
    await figure(page, 'Misses', '1').waitFor()
    await figure(page, 'Last fill', / ago|just now/).waitFor()
    await figure(page, 'A fill takes', / m?s$/).waitFor()
    await app.inject('/employees/high-salary')
    await app.inject('/employees/high-salary')
    await figure(page, 'Hits', '2').waitFor()
    await setChangeTimes(await shellOf(t, app), Date.now() / 1000 - 7300)
    await figure(page, 'Version changed', '2 h ago').waitFor()
    t.strictSame(faults, [])
  })

  t.test('shows the top two, and before there is anybody how to create somebody', async (t) => {
    const app = await build(t)
    const { page, faults } = await open(t, browser, app)
    await page.getByText('There are no employees yet').waitFor()
    const { stdout } = await outcome(spawn('sh', ['-c', await creation(page)]))
    t.match(JSON.parse(stdout), { id: 1, name: 'Ada Lovelace' })
    await app.employees.delete(1)

    for (const employee of [tom, ada, grace, { ...ada, name: 'Rank 3', salary: 1 }]) {
      await app.employees.create(employee)
    }
    await page.getByText('Grace').waitFor()
    t.notOk(await page.getByText('There are no employees yet').isVisible())
    t.strictSame(await chart(page), [
      ['Engineering', 'Grace', '210,000', '100%'],
      ['Engineering', 'Ada Byron', '105,000', '50%'],
      ['Sales', 'Tom', '52,500', '25%'],
    ])
    t.strictSame(faults, [])
  })

  t.test('shows text as text, and so much of it on a phone', async (t) => {
    const app = await build(t)
    const html = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    const long = 'W'.repeat(100)
    await app.employees.create({ name: html, salary: 1e12, department: html })
    await app.employees.create({ name: long, salary: 1e11, department: long })
    for (let i = 0; i < 14; i++) await app.employees.create({ ...tom, department: `Sales ${i}` })
    for (let i = 0; i < 4; i++) await app.employees.create({ ...ada, department: 'Ties' })
    const { page, faults } = await open(t, browser, app, PHONE)
    await page.getByRole('heading', { name: html }).waitFor()
    await page.getByText('and 5 more departments').waitFor()
    await page.getByText('and 1 more colleague').waitFor()
    t.equal(await page.locator('.department').count(), 12)
    t.equal(await page.locator('main img, main script').count(), 0)
    t.equal(await page.title(), 'Employees')
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)
    t.equal(await scrolling(page), 0, 'nor do its parts scroll')
    t.strictSame(faults, [])
  })

  t.test('has a place for every view, on a phone as on a wide screen', async (t) => {
    const app = await build(t)
    const more = [1, 2, 3].map(
      (n) => `a_view_${n}_with_a_name_as_long_as_a_name_can_be_which_is_sixty`,
    )
    const shell = await shellOf(t, app)
    const besides = dialect === 'sqlite' ? 'version' : 'version, definition, made_as'
    const insert = `INSERT INTO view_versions (view, ${besides})
      SELECT ?, ${besides} FROM view_versions LIMIT 1`
    for (const name of [...more, 'w'.repeat(60)]) await shell.all(insert, name)
    const all = [...shownViews.map(({ path }) => path), ...more, 'w'.repeat(60)]
    t.ok(all.length >= 6)
    for (const [width, options] of [
      [390, PHONE],
      [1280, undefined],
    ] as const) {
      const { page, faults } = await open(t, browser, app, options)
      await page.getByRole('heading', { name: 'w'.repeat(60) }).waitFor()
      const titles = await page.locator('.view h3').allTextContents()
      t.strictSame(titles.sort(), all.sort())
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
      t.equal(await scrolling(page), 0)
      t.strictSame(faults, [])
    }
  })

  t.test('asks for a key where keys are configured, and says when it is refused', async (t) => {
    const app = await build(t, { apiKeys })
    await app.employees.create(ada)
    const { page } = await open(t, browser, app, PHONE)
    const key = page.getByLabel('A key that may read')
    const state = page.getByRole('status')
    await key.waitFor()
    await state.getByText('The figures need a key').waitFor()
    for (const wrong of ['emp_unknown', 'schlüssel']) {
      await key.fill(wrong)
      await key.press('Enter')
      await state.getByText('refused (401)').waitFor()
      await key.fill('')
    }
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)

    await key.fill(readKey)
    await page.getByRole('button', { name: 'Show the figures' }).click()
    await page.getByText('Ada Byron').waitFor()
    t.notOk(await key.isVisible())
    t.equal(await page.evaluate('sessionStorage.length'), 1)
    t.strictSame(await page.evaluate('[localStorage.length, document.cookie]'), [0, ''])
    await page.reload()
    await page.getByText('Ada Byron').waitFor()

    await page.getByRole('button', { name: 'Forget the key' }).click()
    await state.getByText('The figures need a key').waitFor()
    t.equal(await page.evaluate('sessionStorage.length'), 0)
    t.equal(await page.getByText('Ada Byron').count(), 0)
  })

  t.test('shows how to create somebody with a key, and not the key that it has', async (t) => {
    const app = await build(t, { apiKeys })
    const { page } = await open(t, browser, app, PHONE)
    await page.getByLabel('A key that may read').fill(readKey)
    await page.getByRole('button', { name: 'Show the figures' }).click()
    await page.getByText('KEY is a key that may write').waitFor()
    const command = await creation(page)
    t.notMatch(command, readKey)
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)
    const env = { PATH: process.env.PATH, KEY: writeKey }
    const { stdout } = await outcome(spawn('sh', ['-c', command], { env }))
    t.match(JSON.parse(stdout), { id: 1, name: 'Ada Lovelace' })
  })

  t.test('keeps its figures while the service is away, and goes on when it is back', async (t) => {
    const app = await build(t)
    await app.employees.create(ada)
    const { page } = await open(t, browser, app)
    const state = page.getByRole('status')
    await state.getByText('Live').waitFor()
    const { port } = app.server.address() as { port: number }
    await app.close()
    await state.getByText('cannot be reached; the figures are those of').waitFor()
    t.ok(await page.getByText('Ada Byron').isVisible())

    const next = await build(t, { databaseUrl: app.config.databaseUrl })
    await next.employees.create(grace)
    await next.listen({ port })
    await page.getByText('Grace').waitFor()
    await state.getByText('Live').waitFor()
  })
})

/** The page at / of a service that listens from now on. */
async function open(t: Test, browser: Browser, app: App, options?: BrowserContextOptions) {
  const url = app.server.listening ? app.listeningOrigin : await app.listen({ port: 0 })
  return visit(t, browser, url, options)
}

/** The command for the shell that creates the first employee. */
async function creation(page: Page): Promise<string> {
  return (await page.locator('#create').textContent()) ?? ''
}

/** How many parts of the page scroll sideways. */
function scrolling(page: Page): Promise<number> {
  return page
    .locator('section, article')
    .evaluateAll(
      (parts) => parts.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length,
    )
}

/** The figure of that name on the card of high salaries. */
function figure(page: Page, name: string, text: string | RegExp) {
  const exact = typeof text === 'string' ? new RegExp(`^${text}$`) : text
  return page
    .getByRole('article')
    .filter({ has: page.getByRole('heading', { name: '/employees/high-salary' }) })
    .locator('dl > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd')
    .filter({ hasText: exact })
}

/** A line for each bar: department, name, salary and how long it is. */
function chart(page: Page): Promise<string[][]> {
  return page
    .locator('.person')
    .evaluateAll((people) =>
      people.map((person) => [
        person.closest('.department')?.querySelector('h3')?.textContent ?? '',
        ...[...person.querySelectorAll('span')].map((span) => span.textContent ?? ''),
        person.querySelector('.bar')?.style.width ?? '',
      ]),
    )
}
