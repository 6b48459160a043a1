import type { View } from '../../drizzle/define-view.js'
import { views } from '../../drizzle/registry.js'
import type { Employee } from '../../src/store/store.js'
import { dialect } from './any-database.js'
import { servedRoutes } from './served-routes.js'
import type { Shell } from './shell.js'

/** A cached view, and the path of the route that shows it. */
export interface ShownView {
  view: View
  path: string
}

/**
 * Every view in the registry: what is true of cached views is asked of each of these.
 *
 * @throws if no route shows one of them
 */
export const shownViews: readonly ShownView[] = await findShownViews()

async function findShownViews(): Promise<ShownView[]> {
  const routes = await servedRoutes()
  if (views.length < 2) throw new Error(`There are only ${views.length} views`)
  return views.map((view) => {
    const route = routes.find((each) => each.view === view && each.method === 'GET')
    if (!route) throw new Error(`No route in routes/ shows the view ${view.name}`)
    return { view, path: route.path }
  })
}

/** What a view must show now: by its own query, with nothing in between. */
export function expectedRows(shell: Shell, view: View): Promise<unknown[]> {
  return shell.all(view.sql(shell.dialect))
}

/** What a definition itself names: salaries at and beside its numbers, and its words. */
export function namedIn(view: View): { salaries: number[]; words: string[] } {
  const text = `${view.sql(dialect)} ${view.definition.matters?.('employees', dialect)}`
  const numbers = text.match(/\b\d+(\.\d+)?(e\d+)?\b/gi) ?? []
  const words = text.match(/(?<=')[\p{L}\p{N}]+( [\p{L}\p{N}]+)*(?=')/gu) ?? []
  return {
    salaries: numbers
      .flatMap((number) => [-1, -0.01, 0, 0.01, 1].map((step) => Number(number) + step))
      .filter((salary) => salary >= 0 && salary <= 1e12),
    words: words.filter(({ length }) => length <= 50),
  }
}

/** Employees of whom one or another changes whatever a view may show. */
const CANDIDATES: Omit<Employee, 'id'>[] = [1, 1e12, 100_000.01, 50_000].flatMap((salary) =>
  ['Engineering', 'Sales', 'New'].map((department) => ({ name: 'Grace', salary, department })),
)

/**
 * Creates employees until a view shows something else.
 *
 * @param create how one is created
 * @throws if it shows the same still: {@link CANDIDATES}, or what the definition names, must know of
 *   somebody whom it shows
 */
export async function createUntilChanged(
  shell: Shell,
  view: View,
  create: (employee: Omit<Employee, 'id'>) => Promise<unknown>,
): Promise<void> {
  const look = async () => JSON.stringify(await expectedRows(shell, view))
  const before = await look()
  for (const candidate of [...CANDIDATES, ...candidatesFor(view)]) {
    await create(candidate)
    if ((await look()) !== before) return
  }
  throw new Error(`Nobody in CANDIDATES is shown by the view ${view.name}`)
}

function candidatesFor(view: View): Omit<Employee, 'id'>[] {
  const { salaries, words } = namedIn(view)
  return [...salaries, 50_000].flatMap((salary) =>
    [...words, 'New'].map((word) => ({ name: word, salary, department: word })),
  )
}
