import fc from 'fast-check'
import t from 'tap'
import type { Dialect } from '../../drizzle/define-view.js'
import { dialect } from '../support/any-database.js'
import { type App, buildOverRedis } from '../support/build.js'
import { exact, oracles } from '../support/oracles.js'
import { writesFor } from '../support/random-writes.js'
import { redisUrl } from '../support/redis-server.js'
import { type Shell, shellOf } from '../support/shell.js'
import { expectedRows, type ShownView, shownViews } from '../support/shown-views.js'
import { newVersions } from '../support/view-versions.js'

/** The new versions are for a view whose triggers miss the end of everybody: each run fails for itself. */
const FROM_THE_START: Record<Dialect, string> = {
  sqlite: `DELETE FROM employees; DELETE FROM sqlite_sequence; ${newVersions('sqlite')}`,
  postgres: `TRUNCATE employees RESTART IDENTITY; ${newVersions('postgres')}`,
}

for (const shown of shownViews) {
  const { name } = shown.view
  const isCoarse = shown.view.definition.matters === undefined
  const rule = exact.has(name) ? 'exactly when it shows something else' : 'whenever that may be'
  t.test(`after any writes ${name} is never stale, and has a new version ${rule}`, async (t) => {
    const app = await buildOverRedis(t, { redisUrl: await redisUrl(t) })
    const shell = await shellOf(t, app)
    let steps = 0

    const property = fc.asyncProperty(
      fc.array(writesFor(shown.view), { minLength: 1, maxLength: 25, size: 'max' }),
      async (writes) => {
        await shell.run(FROM_THE_START[dialect])
        let before = await look(app, shell, shown)
        for (const { single, run } of writes) {
          await run(app, shell)
          const now = await look(app, shell, shown)
          same(now.served, now.expected, `${name} as served`)
          const changed = JSON.stringify(before.expected) !== JSON.stringify(now.expected)
          const due = isCoarse ? JSON.stringify(before.read) !== JSON.stringify(now.read) : changed
          if (changed || (single && (isCoarse || exact.has(name)))) {
            same(now.version !== before.version, due, `${name}: a new version`)
          }
          before = now
          steps++
        }
      },
    )
    await fc.assert(property, { numRuns: 40 })
    t.ok(steps >= 200, `${steps} steps`)
  })
}

/** Reads a view twice (a fill or a hit, then a hit), and what must be true of it now. */
async function look(app: App, shell: Shell, { view, path }: ShownView) {
  const first = await app.inject(path)
  const second = await app.inject(path)
  same(first.statusCode, 200, 'status')
  same(second.headers['cache-status']?.toString().startsWith('employees; hit;'), true, 'a hit')
  same(second.body, first.body, 'the second answer')
  const expected = await expectedRows(shell, view)
  const oracle = oracles[view.name]
  if (oracle) same(expected, await oracle(shell), `${view.name} by its own query`)
  return {
    served: first.json(),
    expected,
    /** What a view without a predicate may depend on. */
    read: await shell.all(`SELECT id, ${view.definition.reads} FROM employees ORDER BY id`),
    version: await app.views.version(view),
  }
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}
