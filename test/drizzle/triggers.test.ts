import t, { type Test } from 'tap'
import { views } from '../../drizzle/registry.js'
import { memoryDatabase } from '../support/memory-database.js'
import { versions } from '../support/view-versions.js'

const HIGH = 'high_salary_emps'
const TOP2 = 'top2_by_dept'

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
function evicted(t: Test, sql: string): string[] {
  const client = memoryDatabase(t)
  client.exec(`INSERT INTO employees VALUES
    (1, 'one', 400000, 'x'), (2, 'two', 200000, 'x'), (3, 'three', 150000, 'x'),
    (4, 'four', 50000, 'x'), (5, 'five', 40000, 'y'),
    (6, 'six', 70000, 'z'), (7, 'seven', 60000, 'z')`)
  const before = versions(client)
  client.exec(sql)
  const after = versions(client)
  return [HIGH, TOP2].filter((view) => after[view] !== before[view])
}

const rules: [promise: string, sql: string, views: string[]][] = [
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

  // INSERT OR REPLACE fires no delete trigger
  ['a replaced row was shown in both', replace(1, 1, 'x'), [HIGH, TOP2]],
  ['a replaced row was a high salary', replace(3, 1, 'x'), [HIGH]],
  ['a replaced row was alone in its department', replace(5, 1, 'x'), [TOP2]],
  ['a replaced row was shown nowhere', replace(4, 2, 'x'), []],
  ['a replacing row is shown', replace(4, 300_000, 'x'), [HIGH, TOP2]],
  [
    'an upsert changes what its update changes',
    `INSERT INTO employees VALUES (4, 'four', 1, 'x') ON CONFLICT DO UPDATE SET salary = excluded.salary`,
    [],
  ],

  // Transactions
  ['a write that is rolled back changes nothing', 'BEGIN; DELETE FROM employees; ROLLBACK', []],
]

for (const [promise, sql, changed] of rules) {
  t.test(promise, async (t) => {
    t.strictSame(evicted(t, sql), changed, sql)
  })
}

const NAMES_OF_ID = ['id', 'rowid', '_rowid_', 'oid', 'ROWID']
const moveTo1 = (id: string) => `UPDATE OR REPLACE employees SET ${id} = 1 WHERE id = 4`
const drop = (triggers: string[]) => triggers.map((name) => `DROP TRIGGER ${name};`).join('')

for (const { name } of views) {
  t.test(`for ${name} alone an employee keeps its id: no row is replaced unseen`, async (t) => {
    const others = views.filter((view) => view.name !== name).map((view) => `${view.name}_move`)
    for (const id of NAMES_OF_ID) {
      const move = drop([...others, 'employees_keep_id']) + moveTo1(id)
      t.throws(() => evicted(t, move), /keeps its id/, id)
    }
  })
}

t.test('without any view, too, an employee keeps its id', async (t) => {
  const move = drop(views.map(({ name }) => `${name}_move`)) + moveTo1('id')
  t.throws(() => evicted(t, move), /keeps its id/)
})

t.test('the two views are read with the indexes alone', async (t) => {
  for (const view of [HIGH, TOP2]) {
    const plan = planOf(t, `SELECT * FROM ${view}`)
    t.ok(plan.length > 0)
    for (const step of plan) t.notMatch(step, /^SCAN (employees|e|next)$/, step)
  }
})

t.test('the triggers of every view judge with the indexes alone', async (t) => {
  let conditions = 0
  for (const { name, definition } of views) {
    for (const row of ['old', 'new', 'replaced']) {
      const condition = definition.matters?.(row, 'sqlite')
      if (condition === undefined) continue
      conditions++
      const plan = planOf(t, `SELECT ${condition} FROM employees AS ${row} WHERE ${row}.id = 1`)
      t.match(plan[0], new RegExp(`^SEARCH ${row} USING INTEGER PRIMARY KEY`), name)
      for (const step of plan) t.notMatch(step, /^SCAN/, `${name}: ${step}`)
    }
  }
  t.ok(conditions >= 6, 'those of two views at least')
})

/** How SQLite goes about a query, step by step. */
function planOf(t: Test, sql: string): string[] {
  const plan = memoryDatabase(t).prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
  return plan.all().map(({ detail }) => detail)
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

function replace(id: number, salary: number, department: string): string {
  return `INSERT OR REPLACE INTO employees VALUES (${id}, 'new', ${salary}, '${department}')`
}
