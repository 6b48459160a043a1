// slow: several processes' caches are held against fills for hundreds of writes
import fc from 'fast-check'
import t from 'tap'
import type { Dialect } from '../../drizzle/define-view.js'
import { dialect, newDatabase } from '../support/any-database.js'
import { type App, build } from '../support/build.js'
import { type Write, writesFor } from '../support/random-writes.js'
import { restore, save } from '../support/saved-state.js'
import { openShell, type Shell } from '../support/shell.js'
import { expectedRows, type ShownView, shownViews } from '../support/shown-views.js'
import { newVersions } from '../support/view-versions.js'

/** Ids begin behind this one, so that they are on both sides of the border of two parts. */
const BEFORE = 1018
const CREATE_FROM: Record<Dialect, string> = {
  sqlite: `UPDATE sqlite_sequence SET seq = ${BEFORE} WHERE name = 'employees'`,
  postgres: `SELECT setval('employees_id_seq', ${BEFORE})`,
}
const PROCESSES = 3
const RUNS = 40

type Step =
  | { what: 'write'; by: number; write: Write }
  | { what: 'read'; by: number }
  /** While another process writes. */
  | { what: 'race'; by: number; write: Write }
  | { what: 'save' }
  | { what: 'restore' }

const divided = shownViews.filter(({ view }) => view.definition.parts)
t.ok(divided.length >= 2, 'the two views of the service at least')

for (const shown of divided) {
  const { view, path } = shown
  t.test(
    `what ${view.name} is made of by its parts is what a fill gives, to the byte`,
    async (t) => {
      const databaseUrl = await newDatabase(t)
      const apps: App[] = []
      for (let i = 0; i < PROCESSES; i++) apps.push(await build(t, { databaseUrl }))
      const shell = await openShell(t, databaseUrl)
      // SQLite counts from the first row on.
      await apps[0]?.employees.createMany([{ name: 'x', salary: 1, department: 'x' }])
      await save(shell)
      const counts: Record<string, number> = {}

      /** A read, which must show the state of before, or that of after the write beside it. */
      const read = async (by: number, write?: Write) => {
        const states = [await stateOf(shell, shown)]
        const [answer] = await Promise.all([app(by).inject(path), write?.run(app(by + 1), shell)])
        states.push(await stateOf(shell, shown))
        const seen = states.find(({ version }) => answer.headers.etag === `"1-${version}"`)
        if (seen?.body !== answer.body) {
          throw new Error(
            `${answer.headers['cache-status']}: ${answer.body} is none of ${JSON.stringify(states)}`,
          )
        }
        const status = `${answer.headers['cache-status']}`.replace(/; ttl=\d+/, '')
        counts[status] = (counts[status] ?? 0) + 1
      }
      const app = (number: number) => apps[number % PROCESSES] as App

      const property = fc.asyncProperty(
        fc.constantFrom(1, 2, 3, 8, 1024),
        fc.array(stepsFor(shown), { minLength: 10, maxLength: 40, size: 'max' }),
        async (links, steps) => {
          // Who has seen another length looks in other places, and finds nothing.
          await shell.run(
            `DELETE FROM employees; ${CREATE_FROM[dialect]}; UPDATE view_versions SET links = ${links}; ${newVersions(dialect)}`,
          )
          for (const step of steps) {
            if (step.what === 'write') await step.write.run(app(step.by), shell)
            else if (step.what === 'read') await read(step.by)
            else if (step.what === 'race') await read(step.by, step.write)
            else if (step.what === 'save') await save(shell)
            else await restore(shell)
          }
          for (let i = 0; i < PROCESSES; i++) await read(i)
        },
      )
      await fc.assert(property, { numRuns: RUNS })
      t.comment(JSON.stringify(counts))
      for (const status of ['employees; fwd=miss; detail=parts', 'employees; fwd=miss; stored']) {
        t.ok((counts[status] ?? 0) >= RUNS, `${status}: ${counts[status]}`)
      }
    },
  )
}

function stepsFor({ view }: ShownView): fc.Arbitrary<Step> {
  const by = fc.nat({ max: PROCESSES - 1 })
  const write = writesFor(view, BEFORE)
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constant('write' as const), by, write }) },
    { weight: 8, arbitrary: fc.record({ what: fc.constant('read' as const), by }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constant('race' as const), by, write }) },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constantFrom('save' as const, 'restore' as const) }),
    },
  )
}

async function stateOf(shell: Shell, { view }: ShownView) {
  const [row] = await shell.all<{ version: string }>(
    'SELECT version FROM view_versions WHERE view = ?',
    view.name,
  )
  return { version: row?.version, body: JSON.stringify(await expectedRows(shell, view)) }
}
