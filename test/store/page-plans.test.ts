import t, { type Test } from 'tap'
import { type Field, served } from '../../src/employees/pages.js'
import { PageStatements } from '../../src/store/pages.js'
import type { PageQuery } from '../../src/store/store.js'
import { onPostgres, onSqlite } from '../support/any-database.js'
import { emptyDatabase } from '../support/empty-database.js'
import { planOf, stepsOf } from '../support/query-plans.js'
import type { Shell } from '../support/shell.js'

const EMPLOYEES = 20_000
const LIMIT = 20

/** Every page that is served, the first and one in the middle. */
const PAGES = served.flatMap(({ by, filters }) =>
  [false, true].flatMap((isDescending) =>
    [undefined, middleOf(by)].map((after) => {
      const query: PageQuery = { by, isDescending, limit: LIMIT, departments: [], isCounted: false }
      if (filters.includes('department')) query.departments = ['d7']
      if (filters.includes('departments')) query.departments = ['d7', 'd8', 'd9']
      if (filters.includes('salary')) query.salary = { min: 100, max: 1900 }
      if (filters.includes('q')) query.q = 'n1'
      if (after) query.after = after
      return { name: `${isDescending ? '-' : ''}${by} ${filters} ${after ? 'behind' : ''}`, query }
    }),
  ),
)

/** Beside what bounds a page by a value: else it is read in the order of an index from its beginning on. */
const IN_ORDER = /^SCAN employees(?: USING INDEX employees_by_(?:name|salary|department))?$/

t.test(
  'SQLite: every page is read by seeks, and sorted are its own rows alone',
  onSqlite,
  async (t) => {
    const shell = await emptyDatabase(t)
    t.ok(PAGES.length >= 40)
    for (const { name, query } of PAGES) {
      const steps = await planOf(shell, literal(query))
      const reads = steps.filter((step) => /^(?:SCAN|SEARCH) employees/.test(step))
      const isWhole =
        !query.after && !query.salary && query.q === undefined && !query.departments.length
      t.equal(reads.length, seeksOf(query), name)
      for (const read of reads) {
        if (isWhole) t.match(read, IN_ORDER, name)
        else
          t.match(read, /^SEARCH employees USING (?:INDEX employees_by_|INTEGER PRIMARY KEY)/, name)
      }
      // Of what a seek has given, which is no more than a page.
      const sorted = steps.filter((_, index) => steps[index + 1]?.includes('TEMP B-TREE'))
      for (const step of sorted) t.equal(step, 'SCAN one', `${name}: ${steps.join('; ')}`)
    }
  },
)

t.test('SQLite: what shares a salary with half of all is no longer way', onSqlite, async (t) => {
  const shell = await emptyDatabase(t)
  for (const by of ['name', 'salary', 'department'] as const) {
    const query = { by, isDescending: false, limit: LIMIT, departments: [], isCounted: false }
    const after = middleOf(by) as NonNullable<PageQuery['after']>
    const steps = await planOf(shell, literal({ ...query, after }))
    t.ok(
      steps.some((step) => step.includes(`(${by}=? AND rowid`)),
      steps.join('; '),
    )
  }
})

t.test(
  'PostgreSQL: every page looks at no more than a few times its own rows',
  onPostgres,
  async (t) => {
    const shell = await filled(t)
    t.ok(PAGES.length >= 40)
    for (const { name, query } of PAGES) {
      const { steps, rows } = await stepsOf(shell, literal(query))
      const scans = steps.filter((step) => step['Node Type'] === 'Seq Scan')
      t.strictSame(scans, [], name)
      t.ok(rows <= seeksOf(query) * (LIMIT + 1), `${name}: ${rows} rows`)
    }
  },
)

/** How many seeks a page takes at most. */
function seeksOf({ by, departments, after }: PageQuery): number {
  if (by === 'id') return Math.max(departments.length, 1)
  return after ? 2 : 1
}

function middleOf(by: Field): PageQuery['after'] {
  const value = { id: undefined, name: 'n1500', salary: 1000, department: 'd7' }[by]
  return value === undefined ? { id: EMPLOYEES / 2 } : { id: EMPLOYEES / 2, value }
}

/** The statement of a page with its values in it. */
function literal(query: PageQuery): string {
  const statements = new PageStatements(
    (position) => `$${position}$`,
    ({ text }) => text,
  )
  const { prepared, values } = statements.of(query)
  return prepared.replaceAll(/\$(\d+)\$/g, (_, position) => {
    const value = values[Number(position) - 1]
    return typeof value === 'number' ? `${value}` : `'${value}'`
  })
}

/** A database with 20 departments, and ten employees of each salary, and of each name. */
async function filled(t: Test): Promise<Shell> {
  const shell = await emptyDatabase(t)
  await shell.run(`INSERT INTO employees (name, salary, department)
    SELECT 'n' || i % 2000, i % 2000, 'd' || i / 2000 % 20
    FROM generate_series(1, ${EMPLOYEES}) AS numbers (i)`)
  await shell.run('VACUUM ANALYZE employees')
  return shell
}
