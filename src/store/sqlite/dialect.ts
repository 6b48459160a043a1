import type { View } from '../../../drizzle/define-view.js'
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
    const { reads, matters, parts } = view.definition
    const is = (row: string) => matters?.(row, 'sqlite')
    const row = (state: string) => `(${reads.map((column) => `${state}.${column}`).join(', ')})`

    const before = is('old')
    const after = is('new')
    const replaced = is('replaced')
    const changes = `${row('old')} IS NOT ${row('new')}`
    const oneReplaced = 'FROM employees AS replaced WHERE replaced.id = new.id'
    return [
      { type: 'view', name, sql: `CREATE VIEW ${name} AS\n${view.sql('sqlite')}` },
      trigger(view, 'insert', 'AFTER INSERT', { part: view.partOf('new'), condition: after }),
      trigger(view, 'update', 'AFTER UPDATE', {
        part: view.partOf('new'),
        partBefore: view.partOf('old'),
        condition: before && after ? `${changes} AND (\n${before}\nOR ${after})` : changes,
      }),
      trigger(view, 'delete', 'AFTER DELETE', { part: view.partOf('old'), condition: before }),
      // INSERT OR REPLACE fires no delete trigger unless recursive_triggers is on, so the row that is
      // about to be replaced is looked at beforehand. For a view without condition and parts its insert
      // is enough.
      ...(replaced || parts
        ? [
            trigger(view, 'replace', 'BEFORE INSERT', {
              part: parts && `(SELECT ${view.partOf('replaced')} ${oneReplaced})`,
              condition: `EXISTS (SELECT 1 ${oneReplaced}${replaced ? ` AND ${replaced}` : ''})`,
            }),
          ]
        : []),
      keepsIds(name),
    ]
  },

  part: () => ':part',
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

interface Change {
  /** The part of the view that changed, and the one which the employee was in before. */
  part: string | undefined
  partBefore?: string | undefined
  condition: string | undefined
}

/**
 * A trigger that gives the view a new version, a random token that never comes back, and says what changed.
 * By an upsert: it alone does what it says, where the statement that fires it has an OR clause.
 */
function trigger(
  { name: view }: View,
  event: Event,
  when: string,
  { part = 'NULL', partBefore = 'NULL', condition }: Change,
): SchemaObject {
  const name = triggerName(view, event)
  const sql = `CREATE TRIGGER ${name} ${when} ON employees
${condition === undefined ? '' : `WHEN ${condition}\n`}BEGIN
  UPDATE view_versions
  SET version = lower(hex(randomblob(16))), number = number + 1, changed_at = (julianday('now') - 2440587.5) * 86400
  WHERE view = '${view}';
  INSERT INTO view_changes (view, slot, number, version, part, part_before)
  SELECT view, number % links, number, version, ${part}, ${partBefore} FROM view_versions WHERE view = '${view}'
  ON CONFLICT (view, slot) DO UPDATE
    SET number = excluded.number, version = excluded.version,
      part = excluded.part, part_before = excluded.part_before;
END`
  return { type: 'trigger', name, sql }
}
