// slow: it starts a browser
import t from 'tap'
import { accessibilityFaults } from '../support/axe.js'
import { inBrowser, openBrowser } from '../support/browser.js'
import { build } from '../support/build.js'
import { freePort } from '../support/free-port.js'
import {
  cardOf,
  chart,
  create,
  fact,
  figure,
  hide,
  listen,
  open,
  scrolling,
} from '../support/home-page.js'
import { apiKeys, readKey } from '../support/keys.js'
import { loseDatabase } from '../support/lose-database.js'
import { shellOf } from '../support/shell.js'
import { until } from '../support/until.js'
import { setChangeTimes } from '../support/view-versions.js'

const ada = { name: 'Ada Byron', salary: 105_000, department: 'Engineering' }
const grace = { name: 'Grace', salary: 210_000, department: 'Engineering' }
const tom = { name: 'Tom', salary: 52_500, department: 'Sales' }
const PHONE = { viewport: { width: 320, height: 640 } }

t.test('the page at /', inBrowser, async (t) => {
  const browser = await openBrowser(t)

  t.test('shows how the service and its cached views are doing', async (t) => {
    const app = await build(t)
    const { page, faults } = await open(t, browser, app)
    await figure(page, 'Last fill', 'not yet').waitFor()
    await figure(page, 'Hits', '0').waitFor()
    const { version } = app.swagger().info
    for (const [name, value] of Object.entries({
      Employees: '0',
      Database: 'up',
      Redis: 'none',
      Release: version,
      Processes: '1',
    }))
      await fact(page, name).getByText(value, { exact: true }).waitFor()
    t.match(await fact(page, 'Up for').textContent(), /^\d+ (s|min)$/)

    await app.inject('/employees/high-salary')
    await figure(page, 'Read as a whole', '1').waitFor()
    await figure(page, 'Last fill', / m?s for all of it, .*(ago|just now)$/).waitFor()
    for (let i = 0; i < 2; i++) await app.inject('/employees/high-salary')
    await figure(page, 'Hits', '2').waitFor()
    await app.employees.create(ada)
    await fact(page, 'Employees').getByText('1', { exact: true }).waitFor()
    await app.inject('/employees/high-salary')
    await figure(page, 'Renewed by parts', '1').waitFor()
    await figure(page, 'Last fill', /for what had changed/).waitFor()
    await figure(page, 'Read as a whole', '1').waitFor()
    await setChangeTimes(await shellOf(t, app), Date.now() / 1000 - 7300)
    await figure(page, 'Last changed', '2 h ago').waitFor()
    t.strictSame(faults, [])
  })

  t.test('draws answers per second and the hit ratio, and has them in words', async (t) => {
    const app = await build(t)
    const { page } = await open(t, browser, app)
    const card = cardOf(page, '/employees/high-salary')
    await figure(page, 'Hits', '0').waitFor()
    for (let i = 0; i < 10; i++) await app.inject('/employees/high-salary')
    await figure(page, 'Hits', '9').waitFor()
    for (const name of [/^Answers of .*: [\d.]+\/s now/, /^Hit ratio of .*: 90% now/]) {
      const chart = card.getByRole('img', { name })
      await chart.waitFor()
      t.match(await chart.locator('.line').getAttribute('d'), /^M[\d.]+ [\d.]+L/)
    }
    await card.locator('summary').click()
    const row = card.getByRole('row', { name: 'The last minute' })
    t.match(await row.getByRole('cell').allTextContents(), [/^[\d.]+\/s$/, '90%'])
  })

  t.test(
    'does not ask for views that have not changed, so that it does not count itself',
    async (t) => {
      const app = await build(t)
      await app.employees.create(ada)
      const { page } = await open(t, browser, app)
      await page.getByText('Ada Byron').waitFor()
      const asked: string[] = []
      page.on('request', (request) => asked.push(new URL(request.url()).pathname))
      await until(() => asked.length >= 2)
      t.strictSame([...new Set(asked)], ['/status'])
      await app.employees.create(grace)
      await page.getByText('Grace').waitFor()
      t.equal(asked.filter((path) => path !== '/status').length, 1)
    },
  )

  t.test('asks nothing in a hidden tab, and at once when it is shown', async (t) => {
    const app = await build(t)
    const { page } = await open(t, browser, app)
    await page.getByRole('status').getByText('Live').waitFor()
    let asked = 0
    page.on('request', () => asked++)
    await page.clock.install()
    // So that the next question is due by that clock.
    await hide(page, false)
    await until(() => asked > 0)
    await page.waitForLoadState('networkidle')
    await hide(page, true)
    asked = 0
    await page.clock.runFor(60_000)
    t.equal(asked, 0)
    await hide(page, false)
    await until(() => asked > 0)
  })

  t.test('shows the top two', async (t) => {
    const app = await build(t)
    for (const employee of [tom, ada, grace, { ...ada, name: 'Rank 3', salary: 1 }]) {
      await app.employees.create(employee)
    }
    const { page, faults } = await open(t, browser, app)
    await page.getByText('Grace').waitFor()
    t.notOk(await page.getByText('There are no employees yet').isVisible())
    t.strictSame(await chart(page), [
      ['Engineering', 'Grace', '210,000', '100%'],
      ['Engineering', 'Ada Byron', '105,000', '50%'],
      ['Sales', 'Tom', '52,500', '25%'],
    ])
    t.strictSame(faults, [])
  })

  t.test('says that Redis is away, and that the database is', async (t) => {
    const app = await build(t, { redisUrl: `redis://127.0.0.1:${await freePort()}` })
    await app.employees.create(ada)
    const { page } = await open(t, browser, app)
    await page.getByRole('status').getByText('Redis is away').waitFor()
    t.equal(await fact(page, 'Redis').textContent(), 'away')
    await loseDatabase(app.db, app.config.databaseUrl)
    await page.getByRole('status').getByText('The database is away').waitFor()
    t.equal(await fact(page, 'Database').textContent(), 'away')
    t.ok(await page.getByText('Ada Byron').isVisible())
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    t.test(`${colorScheme}: axe finds nothing`, async (t) => {
      const app = await build(t, { apiKeys })
      const { page } = await open(t, browser, app, { colorScheme })
      const key = page.getByLabel('A key that may read')
      await key.waitFor()
      t.strictSame(await accessibilityFaults(page), [], 'at the door')
      await key.fill(readKey)
      await key.press('Enter')
      await page.getByText('There are no employees yet').waitFor()
      t.strictSame(await accessibilityFaults(page), [], 'without anybody')
      await create(page, ada)
      await page.locator('#outcome').getByText('may read, and not write').waitFor()
      for (const employee of [ada, grace, tom]) await app.employees.create(employee)
      await page.getByText('Tom').waitFor()
      for (const summary of await page.locator('summary').all()) await summary.click()
      t.strictSame(await accessibilityFaults(page), [])
    })
  }

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
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320)
    t.equal(await scrolling(page), 0, 'nor do its parts scroll')
    t.strictSame(faults, [])
  })

  t.test('has a place for every view, on a phone as on a wide screen', async (t) => {
    const app = await build(t)
    const paths = [1, 2, 3].map((n) => `/employees/${'view-with-a-long-name-'.repeat(3)}${n}`)
    paths.push(`/employees/${'w'.repeat(60)}`)
    const { views, ...status } = (await app.inject('/status')).json() as Status
    const more = paths.map((path) => ({ ...(views[0] as View), name: path, path }))
    const all = [...views, ...more]
    for (const [width, options] of [
      [320, PHONE],
      [1280, undefined],
    ] as const) {
      const context = await browser.newContext(options)
      t.teardown(() => context.close())
      const page = await context.newPage()
      await page.route('**/status', (route) => route.fulfill({ json: { ...status, views: all } }))
      await page.goto(await listen(app))
      await page.getByRole('heading', { name: 'w'.repeat(60) }).waitFor()
      const titles = await page.locator('.view h3').allTextContents()
      t.strictSame(titles.sort(), all.map(({ path }) => path).sort())
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
      t.equal(await scrolling(page), 0)
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
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320)

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

interface Status {
  views: View[]
}
interface View {
  name: string
  path: string
}
