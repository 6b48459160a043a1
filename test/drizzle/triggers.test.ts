import t from 'tap'
import type { Dialect } from '../../drizzle/define-view.js'
import { views } from '../../drizzle/registry.js'
import { dialect, newDatabase, onPostgres, onSqlite } from '../support/any-database.js'
import { emptyDatabase } from '../support/empty-database.js'
import { openShell, type Shell } from '../support/shell.js'
import { until } from '../support/until.js'
import { versions } from '../support/view-versions.js'

const HIGH = 'high_salary_emps'
const TOP2 = 'top2_by_dept'

/** Begins anew with ids where no row has one. */
const EMPTY: Record<Dialect, string> = {
  sqlite: 'DELETE FROM employees; DELETE FROM sqlite_sequence',
  postgres: 'TRUNCATE employees; ALTER TABLE employees ALTER id RESTART WITH 8',
}

/**
 * Runs statements over seven employees and says which of the two views got a new version.
 *
 *     id  salary  department
 *     1   400000  x           shown in both views
 *     2   200000  x           shown in both views
 *     3   150000  x           shown as a high salary only
 *     4    50000  x           shown nowhere
 *     5    40000  y           shown among the top two
 *     6    70000  z           shown among the top two
 *     7    60000  z           shown among the top two
 */
async function evicted(shell: Shell, sql: string): Promise<string[]> {
  await shell.run(EMPTY[dialect])
  await shell.run(`INSERT INTO employees VALUES
    (1, 'one', 400000, 'x'), (2, 'two', 200000, 'x'), (3, 'three', 150000, 'x'),
    (4, 'four', 50000, 'x'), (5, 'five', 40000, 'y'),
    (6, 'six', 70000, 'z'), (7, 'seven', 60000, 'z')`)
  const before = await versions(shell)
  await shell.run(sql)
  const after = await versions(shell)
  return [HIGH, TOP2].filter((view) => after[view] !== before[view])
}

type Rule = [promise: string, sql: string, views: string[]]

const rules: Rule[] = [
  // INSERT
  ['a new salary of 100000 is not high', insert(100_000, 'x'), []],
  ['a new salary above 100000 is high', insert(100_000.01, 'x'), [HIGH]],
  ['a new rank 3 is not among the top two', insert(199_999, 'x'), [HIGH]],
  ['a new tie with rank 2 is among the top two', insert(200_000, 'x'), [HIGH, TOP2]],
  ['a new tie with rank 1 is among the top two', insert(400_000, 'x'), [HIGH, TOP2]],
  ['a second employee is among the top two', insert(1, 'y'), [TOP2]],
  ['the first of a department is among the top two', insert(1, 'new'), [TOP2]],
  ['many new rows that nobody sees change nothing', insertMany(50_000, 'x', 100), []],
  ['many new rows change a view if one of them does', insertMany(300_000, 'x', 2), [HIGH, TOP2]],

  // UPDATE
  ['a raise from 50000 to 51000 changes nothing', set('salary = 51000', 4), []],
  ['a raise to 100000 changes nothing', set('salary = 100000', 4), []],
  ['a raise above 100000 changes one view', set('salary = 100001', 4), [HIGH]],
  ['a cut to 100000 changes one view', set('salary = 100000', 3), [HIGH]],
  ['a raise to rank 2 changes both', set('salary = 250000', 3), [HIGH, TOP2]],
  ['a cut from rank 2 changes both', set('salary = 100', 2), [HIGH, TOP2]],
  ['a raise at rank 1 changes both', set('salary = 500000', 1), [HIGH, TOP2]],
  ['a raise at rank 1 of low salaries changes one', set('salary = 45000', 5), [TOP2]],
  ['a new name of somebody shown nowhere changes nothing', set("name = 'new'", 4), []],
  ['a new name of a high salary changes one view', set("name = 'new'", 3), [HIGH]],
  ['a new name among the top two changes both', set("name = 'new'", 1), [HIGH, TOP2]],
  ['a write of the same values changes nothing', set("name = 'one', salary = 400000", 1), []],
  ['a move into a small department changes it', set("department = 'y'", 4), [TOP2]],
  ['a move out of the top two changes both', set("department = 'y'", 2), [HIGH, TOP2]],
  ['a move from nowhere to nowhere changes nothing', set("department = 'z'", 4), []],
  [
    'many updates of rows shown nowhere change nothing',
    `UPDATE employees SET salary = salary + 1 WHERE id = 4`,
    [],
  ],
  [
    'a raise for everybody changes both',
    `UPDATE employees SET salary = salary * 1.1`,
    [HIGH, TOP2],
  ],
  [
    'two who swap places in one statement change both',
    `UPDATE employees SET salary = CASE id WHEN 2 THEN 150000 ELSE 200000 END WHERE id IN (2, 3)`,
    [HIGH, TOP2],
  ],

  // DELETE
  ['the end of somebody shown nowhere changes nothing', 'DELETE FROM employees WHERE id = 4', []],
  ['the end of a high salary changes one view', 'DELETE FROM employees WHERE id = 3', [HIGH]],
  ['the end of a top two changes both', 'DELETE FROM employees WHERE id = 2', [HIGH, TOP2]],
  [
    'the end of a whole department changes it',
    `DELETE FROM employees WHERE department = 'y'`,
    [TOP2],
  ],
  ['DELETE without WHERE changes both', 'DELETE FROM employees', [HIGH, TOP2]],

  // A row in the place of another
  ...replacements(upsert),

  // Transactions
  ['a write that is rolled back changes nothing', 'BEGIN; DELETE FROM employees; ROLLBACK', []],
]

/** INSERT OR REPLACE fires no delete trigger. */
const rulesOfSqlite: Rule[] = replacements(
  (id, salary, department) =>
    `INSERT OR REPLACE INTO employees VALUES (${id}, 'new', ${salary}, '${department}')`,
)

const rulesOfPostgres: Rule[] = [
  ['TRUNCATE changes both', 'TRUNCATE employees', [HIGH, TOP2]],
  ...replacements(
    (id, salary, department) => `WITH gone AS (DELETE FROM employees WHERE id = ${id} RETURNING id)
      INSERT INTO employees SELECT id, 'new', ${salary}, '${department}' FROM gone`,
  ),
  ...replacements(
    (id, salary, department) => `MERGE INTO employees USING (VALUES (${id})) AS given (id)
      ON employees.id = given.id
      WHEN MATCHED THEN UPDATE SET salary = ${salary}, department = '${department}', name = 'new'`,
  ),
  [
    'a MERGE whose delete is of somebody shown changes both',
    `MERGE INTO employees USING (VALUES (2), (4)) AS given (id) ON employees.id = given.id
      WHEN MATCHED AND given.id = 2 THEN DELETE WHEN MATCHED THEN DO NOTHING`,
    [HIGH, TOP2],
  ],
  [
    'a MERGE whose insert is shown changes a view',
    `MERGE INTO employees USING (VALUES (9)) AS given (id) ON employees.id = given.id
      WHEN NOT MATCHED THEN INSERT VALUES (given.id, 'new', 1, 'y')`,
    [TOP2],
  ],
  ['a COPY of rows that nobody sees changes nothing', copy('four\t1\tx', 'five\t2\tx'), []],
  ['a COPY of rows of which one is seen changes a view', copy('four\t1\tx', 'five\t1\ty'), [TOP2]],
  [
    'an update by another table changes what it changes',
    `UPDATE employees SET salary = given.salary FROM (VALUES (4, 51000), (3, 90000)) AS given (id, salary)
      WHERE employees.id = given.id`,
    [HIGH],
  ],
  [
    'two writes in one statement that undo each other for nobody change nothing',
    `WITH gone AS (DELETE FROM employees WHERE id = 4 RETURNING name)
      INSERT INTO employees (name, salary, department) SELECT name, 50000, 'x' FROM gone`,
    [],
  ],
  [
    'a write of a savepoint that is rolled back changes nothing',
    'BEGIN; SAVEPOINT before; DELETE FROM employees; ROLLBACK TO before; COMMIT',
    [],
  ],
]

t.test('which write gives which view a new version', async (t) => {
  const shell = await emptyDatabase(t)
  const all: [prefix: string, options: object, rules: Rule[]][] = [
    ['', {}, rules],
    ['SQLite: ', onSqlite, rulesOfSqlite],
    ['PostgreSQL: ', onPostgres, rulesOfPostgres],
  ]
  for (const [prefix, options, some] of all) {
    for (const [promise, sql, changed] of some) {
      t.test(`${prefix}${promise}`, options, async (t) => {
        t.strictSame(await evicted(shell, sql), changed, sql)
      })
    }
  }
})

t.test('an employee keeps its id, whatever the statement', async (t) => {
  const shell = await emptyDatabase(t)
  for (const move of [
    'UPDATE employees SET id = 8 WHERE id = 4',
    'UPDATE employees SET id = id + 100',
    "INSERT INTO employees VALUES (4, 'x', 1, 'x') ON CONFLICT (id) DO UPDATE SET id = 9",
  ]) {
    await t.rejects(evicted(shell, move), /keeps its id/, move)
  }
})

const NAMES_OF_ID = ['id', 'rowid', '_rowid_', 'oid', 'ROWID']
const moveTo1 = (id: string) => `UPDATE OR REPLACE employees SET ${id} = 1 WHERE id = 4`
const drop = (triggers: string[]) => triggers.map((name) => `DROP TRIGGER ${name};`).join('')

for (const { name } of views) {
  t.test(
    `SQLite: for ${name} alone an employee keeps its id: no row is replaced unseen`,
    onSqlite,
    async (t) => {
      const others = views.filter((view) => view.name !== name).map((view) => `${view.name}_move`)
      const shell = await emptyDatabase(t)
      await shell.run(drop([...others, 'employees_keep_id']))
      for (const id of NAMES_OF_ID) {
        await t.rejects(evicted(shell, moveTo1(id)), /keeps its id/, id)
      }
    },
  )
}

t.test('SQLite: without any view, too, an employee keeps its id', onSqlite, async (t) => {
  const shell = await emptyDatabase(t)
  await shell.run(drop(views.map(({ name }) => `${name}_move`)))
  await t.rejects(evicted(shell, moveTo1('id')), /keeps its id/)
})

t.test(
  'PostgreSQL: who would judge by what was before others is refused',
  onPostgres,
  async (t) => {
    const shell = await emptyDatabase(t)
    for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
      const write = evicted(shell, `BEGIN ISOLATION LEVEL ${level}; ${set('salary = 1', 4)}`)
      await t.rejects(write, /READ COMMITTED only/, level)
      await shell.run('ROLLBACK')
    }
  },
)

t.test(
  'PostgreSQL: who writes while another does is judged by what that one has left',
  onPostgres,
  async (t) => {
    const url = await newDatabase(t)
    const one = await emptyDatabase(t, url)
    const other = await openShell(t, url)
    // The third of its department, until the first one leaves.
    await evicted(one, insert(50_000, 'z'))
    await one.run(`BEGIN; ${remove(6)}`)
    const { [TOP2]: before } = await versions(one)
    let isDone = false
    const write = other.run(`BEGIN; ${set("name = 'second now'", 8)}`).finally(() => {
      isDone = true
    })
    await until(async () => isDone || (await one.all(WAITING)).length > 0)
    await one.run('COMMIT')
    await write
    await other.run('COMMIT')
    t.not((await versions(one))[TOP2], before)
  },
)

/** Who waits for an advisory lock in this database. */
const WAITING = `SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
  WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted`

function remove(id: number): string {
  return `DELETE FROM employees WHERE id = ${id}`
}

function insert(salary: number, department: string): string {
  return `INSERT INTO employees (name, salary, department) VALUES ('new', ${salary}, '${department}')`
}

function insertMany(salary: number, department: string, count: number): string {
  return `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO employees (name, salary, department) SELECT 'n' || i, ${salary}, '${department}' FROM n`
}

function set(assignment: string, id: number): string {
  return `UPDATE employees SET ${assignment} WHERE id = ${id}`
}

/** Of rows that take the place of others. */
function replacements(replace: (id: number, salary: number, department: string) => string): Rule[] {
  return [
    ['a replaced row was shown in both', replace(1, 1, 'x'), [HIGH, TOP2]],
    ['a replaced row was a high salary', replace(3, 1, 'x'), [HIGH]],
    ['a replaced row was alone in its department', replace(5, 1, 'x'), [TOP2]],
    ['a replaced row was shown nowhere', replace(4, 2, 'x'), []],
    ['a replacing row is shown', replace(4, 300_000, 'x'), [HIGH, TOP2]],
  ]
}

function upsert(id: number, salary: number, department: string): string {
  return `INSERT INTO employees VALUES (${id}, 'new', ${salary}, '${department}') ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, salary = excluded.salary, department = excluded.department`
}

/** Of lines as COPY reads them. */
function copy(...lines: string[]): string {
  return `COPY employees (name, salary, department) FROM PROGRAM 'printf "${lines.join('\\n')}\\n"'`
}
