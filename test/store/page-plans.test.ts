import t, { type Test } from 'tap'
import { type Field, served } from '../../src/employees/pages.js'
import { openDatabase } from '../../src/store/open.js'
import { PageStatements } from '../../src/store/pages.js'
import type { PostgresDatabase } from '../../src/store/postgres/postgres-database.js'
import type { SqliteDatabase } from '../../src/store/sqlite/sqlite-database.js'
import type { PageQuery } from '../../src/store/store.js'
import { newDatabase, onPostgres, onSqlite } from '../support/any-database.js'
import { emptyDatabase } from '../support/empty-database.js'
import { planOf, stepsOf } from '../support/query-plans.js'
import { openShell } from '../support/shell.js'

const EMPLOYEES = 20_000
const LIMIT = 20

/** Every page that is served, the first and one in the middle. */
const PAGES = served.flatMap(({ by, filters }) =>
  [false, true].flatMap((isDescending) =>
    [undefined, middleOf(by)].map((after) => {
      const query: PageQuery = { by, isDescending, limit: LIMIT, departments: [], isCounted: false }
      if (filters.includes('department')) query.departments = ['d8']
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

t.test('SQLite: no page is planned anew at each call', onSqlite, async (t) => {
  const db = (await openDatabase(await newDatabase(t))) as SqliteDatabase
  const prepared: string[] = []
  const { $client } = db.drizzle
  const prepare = $client.prepare.bind($client)
  $client.prepare = ((text: string) => {
    prepared.push(text)
    return prepare(text)
  }) as typeof prepare
  const store = db.createStore({})
  t.teardown(async () => {
    await store.close()
    await db.close()
  })
  for (const { query } of PAGES) await store.employees.sortedPage(query)
  const limited = prepared.filter((text) => /from "?employees"? .*\blimit\b/is.test(text))
  t.ok(limited.length > PAGES.length / 2)
  for (const text of limited) t.notMatch(text, /(?<!\+)[?@:$]/, 'its values count for no plan')
})

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
  'PostgreSQL: every page reads its own rows, and no more of a hundred times as many',
  onPostgres,
  async (t) => {
    t.ok(PAGES.length >= 40)
    const [few, many] = [await filled(t, EMPLOYEES / 10), await filled(t, EMPLOYEES * 10)]
    for (const { name, query } of PAGES) {
      const small = await few(query)
      const large = await many(query)
      for (const { steps, rows, custom } of [small, large]) {
        t.equal(custom, 0, `${name}: is planned once, whatever its values`)
        t.notOk(
          steps.some((step) => /^(?:Seq|Bitmap)/.test(step['Node Type'])),
          `${name}: ${steps.map((step) => step['Node Type'])}`,
        )
        t.ok(rows <= pairSeeksOf(query) * (LIMIT + 1), `${name}: ${rows} rows`)
      }
      // Rows lie further apart; and a tree has a level more, to be gone down at each seek.
      const more = 2 * pairSeeksOf(query) + (LIMIT + 1)
      t.ok(
        large.blocks <= small.blocks + more,
        `${name}: ${small.blocks}, then ${large.blocks} blocks`,
      )
    }
  },
)

/** How many seeks a page takes at most. */
function seeksOf({ by, departments, after }: PageQuery): number {
  if (by === 'id') return Math.max(departments.length, 1)
  return after ? 2 : 1
}

/** How many it takes where a pair is one. */
function pairSeeksOf(query: PageQuery): number {
  return query.by === 'salary' || query.by === 'id' ? seeksOf(query) : 1
}

function middleOf(by: Field): PageQuery['after'] {
  const value = { id: undefined, name: 'n1500', salary: 1000, department: 'd7' }[by]
  return value === undefined ? { id: EMPLOYEES / 2 } : { id: EMPLOYEES / 2, value }
}

/** The statement of a page of SQLite's with its values in it. */
function literal(query: PageQuery): string {
  const statements = new PageStatements(
    { place: (position) => `$${position}$`, seeksPairs: false },
    ({ text }) => text,
  )
  const { prepared, values } = statements.of(query)
  return prepared.replaceAll(
    /\$(\d+)\$/g,
    (_, position) => `${quoted(values[Number(position) - 1])}`,
  )
}

function quoted(value: unknown): string {
  return typeof value === 'number' ? `${value}` : `'${value}'`
}

/**
 * A database with so many employees in 20 departments, who are spread over the table; half of all share a
 * salary, a name and a department.
 *
 * @returns how a page is read from it, as the service does
 */
async function filled(t: Test, employees: number) {
  const url = await newDatabase(t)
  const db = (await openDatabase(url)) as PostgresDatabase
  t.teardown(() => db.close())
  const shell = await openShell(t, url)
  await shell.run(`INSERT INTO employees (name, salary, department)
    SELECT 'n' || CASE i % 2 WHEN 0 THEN 1500 ELSE i / 2 % 2000 END,
      CASE i % 2 WHEN 0 THEN 1000 ELSE i / 2 % 2000 END,
      'd' || CASE WHEN i / 2 * 7919 % 40 < 20 THEN 7 ELSE i / 2 * 7919 % 20 END
    FROM generate_series(1, ${employees}) AS numbers (i)`)
  await shell.run('VACUUM ANALYZE employees')
  const all = async <Row>(sql: string) =>
    (await db.primary.do(({ reader }) => reader.query(sql))).rows as Row[]
  // As if it did not fit into memory, where sorting looks cheaper than to go to and fro.
  await all("SET effective_cache_size = '1MB'")
  let known = 0
  const statements = new PageStatements(
    { place: (position) => `$${position}`, seeksPairs: true },
    ({ text }) => {
      const name = `page_${known++}`
      return { name, isThere: all(`PREPARE ${name} AS ${text}`) }
    },
  )
  return async (query: PageQuery) => {
    const { prepared, values } = statements.of(query)
    await prepared.isThere
    const plan = await stepsOf(
      { all },
      `EXECUTE ${prepared.name} (${values.map(quoted).join(', ')})`,
    )
    const [{ custom } = {}] = await all<{ custom: number }>(
      `SELECT custom_plans AS custom FROM pg_prepared_statements WHERE name = '${prepared.name}'`,
    )
    return { ...plan, custom }
  }
}
