import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Scope } from './scope.js'

/** The path of a Chromium on this machine, or undefined. */
export const chromiumProgram = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
  .find(isProgram)

export const CHROMIUM_NEEDED =
  'The tests of the pages need Chromium: "sudo apt-get install chromium" or "brew install --cask google-chrome"'

/** Options of a test with a browser: without one it is skipped, but fails where CI is set. */
export const inBrowser = {
  skip: chromiumProgram || process.env.CI ? false : CHROMIUM_NEEDED,
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser that is closed with the test. */
export async function openBrowser(scope: Scope): Promise<Browser> {
  if (!chromiumProgram) throw new Error(CHROMIUM_NEEDED)
  // Loaded here: it takes most of a second, and many need no more than the path.
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({ executablePath: chromiumProgram, args: FLAGS })
  scope.teardown(() => browser.close())
  return browser
}

/**
 * The page that a new visitor sees, until the test ends, and its faults: errors, what its policy
 * refuses, and requests to others.
 */
export async function visit(
  scope: Scope,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext(options)
  scope.teardown(() => context.close())
  const page = await context.newPage()
  const faults: string[] = []
  const { origin } = new URL(url)
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) faults.push(request.url())
  })
  await page.goto(url)
  return { page, faults }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
