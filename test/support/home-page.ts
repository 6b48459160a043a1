import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Test } from 'tap'
import { visit } from './browser.js'
import type { App } from './build.js'

/** The page at / of a service that listens from now on. */
export async function open(t: Test, browser: Browser, app: App, options?: BrowserContextOptions) {
  return visit(t, browser, await listen(app), options)
}

/** Where a service listens, from now on. */
export async function listen(app: App): Promise<string> {
  return app.server.listening ? app.listeningOrigin : app.listen({ port: 0 })
}

/** Makes a page believe that its tab is hidden, or shown again. */
export async function hide(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(`{
    Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} })
    document.dispatchEvent(new Event('visibilitychange'))
  }`)
}

/** Fills the form in, and sends it. */
export async function create(
  page: Page,
  {
    name,
    department,
    salary,
  }: {
    name: string
    department: string
    salary: number
  },
): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Department', { exact: true }).fill(department)
  await page.getByLabel('Salary', { exact: true }).fill(`${salary}`)
  await page.getByRole('button', { name: 'Create' }).click()
}

/** How many parts of the page scroll sideways. */
export function scrolling(page: Page): Promise<number> {
  return page
    .locator('section, article')
    .evaluateAll(
      (parts) => parts.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length,
    )
}

/** What the page says of the service under that name. */
export function fact(page: Page, name: string) {
  return page.locator('#service > div').filter({ hasText: name }).locator('dd')
}

export function cardOf(page: Page, path: string) {
  return page.getByRole('article').filter({ has: page.getByRole('heading', { name: path }) })
}

/** The figure of that name on the card of high salaries. */
export function figure(page: Page, name: string, text: string | RegExp) {
  const exact = typeof text === 'string' ? new RegExp(`^${text}$`) : text
  return cardOf(page, '/employees/high-salary')
    .locator('dl > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd')
    .filter({ hasText: exact })
}

/** A line for each bar: department, name, salary and how long it is. */
export function chart(page: Page): Promise<string[][]> {
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
