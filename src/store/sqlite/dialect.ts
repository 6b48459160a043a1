import type { SchemaObject, ViewDialect } from '../views/generate.js'

/** When a trigger of a view fires; a view has at most one of each. */
export const EVENTS = ['insert', 'update', 'delete', 'replace', 'move'] as const
type Event = (typeof EVENTS)[number]

export function triggerName(view: string, event: Event): string {
  return `${view}_${event}`
}

/**
 * Views in SQLite, by row triggers. They see the states between the rows of a statement, which is
 * right: if no step changes what the view shows, the end equals the beginning.
 */
export const sqliteDialect: ViewDialect = {
  name: 'sqlite',

  objects(view) {
    const { name } = view
    const { reads, matters } = view.definition
    const is = (row: string) => matters?.(row, 'sqlite')
    const row = (state: string) => `(${reads.map((column) => `${state}.${column}`).join(', ')})`

    const before = is('old')
    const after = is('new')
    const replaced = is('replaced')
    const changes = `${row('old')} IS NOT ${row('new')}`
    return [
      { type: 'view', name, sql: `CREATE VIEW ${name} AS\n${view.sql('sqlite')}` },
      trigger(name, 'insert', 'AFTER INSERT', after),
      trigger(
        name,
        'update',
        'AFTER UPDATE',
        before && after ? `${changes} AND (\n${before}\nOR ${after})` : changes,
      ),
      trigger(name, 'delete', 'AFTER DELETE', before),
      // INSERT OR REPLACE fires no delete trigger unless recursive_triggers is on, so the row that is
      // about to be replaced is looked at beforehand. Without a condition its insert is enough.
      ...(replaced
        ? [
            trigger(
              name,
              'replace',
              'BEFORE INSERT',
              `EXISTS (SELECT 1 FROM employees AS replaced WHERE replaced.id = new.id AND ${replaced})`,
            ),
          ]
        : []),
      keepsIds(name),
    ]
  },
}

/**
 * UPDATE OR REPLACE of an id would end another row, and no trigger would see that. It is refused by what
 * the id becomes: `UPDATE OF id`, which the table's own employees_keep_id waits for, does not see one
 * that is written as rowid, _rowid_ or oid. Each view says so for itself, so that the keeper puts it back.
 */
function keepsIds(view: string): SchemaObject {
  const name = triggerName(view, 'move')
  const sql = `CREATE TRIGGER ${name} BEFORE UPDATE ON employees
WHEN new.id <> old.id BEGIN
  SELECT raise(ABORT, 'an employee keeps its id');
END`
  return { type: 'trigger', name, sql }
}

/** A trigger that gives the view a new version: a random token that never comes back. */
function trigger(view: string, event: Event, when: string, condition?: string): SchemaObject {
  const name = triggerName(view, event)
  const sql = `CREATE TRIGGER ${name} ${when} ON employees
${condition === undefined ? '' : `WHEN ${condition}\n`}BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = '${view}';
END`
  return { type: 'trigger', name, sql }
}
