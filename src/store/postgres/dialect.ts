import type { Column, View } from '../../../drizzle/define-view.js'
import type { SchemaObject, ViewDialect } from '../views/generate.js'

/** What is generated for a view beside it, each by the view's name and this; a view has all of them. */
export const TRIGGERS = ['turn', 'insert', 'update', 'delete', 'truncate'] as const
export const FUNCTIONS = ['take_turn', 'of_rows', 'of_update', 'renew'] as const

/**
 * The lock that every change of employees holds to the end of its transaction. Under READ COMMITTED two
 * transactions would otherwise each judge by what they see that they do not matter to a view, and be
 * wrong together; one behind the other, each sees what the one before has done. An advisory lock, since
 * LOCK TABLE in a trigger deadlocks.
 */
export const WRITERS_LOCK = 7013

/** The rows that an update has changed: as they were, and as they are. */
const CHANGED = (columns: string) => `
    (SELECT ${columns} FROM old_rows EXCEPT ALL SELECT ${columns} FROM new_rows)
    UNION ALL (SELECT ${columns} FROM new_rows EXCEPT ALL SELECT ${columns} FROM old_rows)`

/**
 * Views in PostgreSQL, by statement triggers, which see all rows of a statement at once (a third of what
 * row triggers cost a bulk load). A condition is asked behind the statement, of the rows as they were
 * and as they are.
 */
export const postgresDialect: ViewDialect = {
  name: 'postgres',

  objects(view) {
    const { name } = view
    const { reads, matters } = view.definition
    const condition = matters ? ` WHERE ${matters('changed_row', 'postgres')}` : ''
    // A condition may ask for any column of the row.
    const columns = matters ? 'id, name, salary, department' : reads.join(', ')
    const any = (table: string, rows: string) =>
      ofRows(view, table, `(${rows}) AS changed_row${condition}`)

    return [
      { type: 'view', name, sql: `CREATE OR REPLACE VIEW ${name} AS\n${view.sql('postgres')}` },
      fn(name, 'take_turn', TAKE_TURN),
      fn(name, 'of_rows', any('changed_rows', 'SELECT * FROM changed_rows')),
      fn(name, 'of_update', any('new_rows', CHANGED(columns))),
      fn(name, 'renew', `BEGIN\n  ${RENEW(name)}\n  RETURN NULL;\nEND`),
      trigger(name, 'turn', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'take_turn'),
      trigger(name, 'insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS changed_rows', 'of_rows'),
      trigger(
        name,
        'update',
        'AFTER UPDATE',
        'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
        'of_update',
      ),
      trigger(name, 'delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS changed_rows', 'of_rows'),
      trigger(name, 'truncate', 'AFTER TRUNCATE', '', 'renew'),
    ]
  },

  part: ({ definition: { parts } }) => (parts ? `$1::${TYPES[parts.by]}` : ''),
}

/** Whoever began under another level than READ COMMITTED would judge by what was before the lock. */
const TAKE_TURN = `BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'employees are changed under READ COMMITTED only' USING ERRCODE = 'feature_not_supported';
  END IF;
  PERFORM pg_advisory_xact_lock(${WRITERS_LOCK});
  RETURN NULL;
END`

/** Of a statement of more rows nobody finds out which parts they are: it is enough that there is one. */
const ROWS = 1000
/** Parts that one link may name. */
const PARTS = 100

/** Gives the view a new version if the condition holds of any of the rows, and says in which parts. */
function ofRows(view: View, table: string, rows: string): string {
  const coarse = `IF EXISTS (SELECT 1 FROM ${rows}) THEN
    ${RENEW(view.name)}
  END IF;
  RETURN NULL;
END`
  const part = view.partOf('changed_row')
  if (part === undefined) return `BEGIN\n  ${coarse}`
  return `DECLARE
  changed_parts jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ${table} OFFSET ${ROWS}) THEN
    SELECT jsonb_agg(part) INTO changed_parts
    FROM (SELECT DISTINCT ${part} AS part FROM ${rows} LIMIT ${PARTS + 1}) AS parts;
    IF changed_parts IS NOT NULL THEN
      ${RENEW(view.name, `CASE WHEN jsonb_array_length(changed_parts) <= ${PARTS} THEN changed_parts END`)}
    END IF;
    RETURN NULL;
  END IF;
  ${coarse}`
}

/** A version that never comes back, and what changed; NULL: anything may have. */
const RENEW = (view: string, parts = 'NULL::jsonb') => `WITH renewed AS (
    UPDATE view_versions
    SET version = replace(gen_random_uuid()::text, '-', ''), number = number + 1, changed_at = clock_timestamp()
    WHERE view = '${view}' RETURNING view, number % links AS slot, number, version
  )
  INSERT INTO view_changes (view, slot, number, version, parts) SELECT *, ${parts} FROM renewed
  ON CONFLICT (view, slot)
  DO UPDATE SET number = excluded.number, version = excluded.version, parts = excluded.parts;`

/** What a column is, for the parameter that stands for a part. */
const TYPES: Record<Column, string> = {
  id: 'bigint',
  name: 'text',
  salary: 'double precision',
  department: 'text',
}

/** Names mean what they meant when it was made, whatever the writer's path says, or its temporary tables. */
const SEARCH_PATH = 'SET search_path FROM CURRENT'

function fn(view: string, use: (typeof FUNCTIONS)[number], body: string): SchemaObject {
  const name = `${view}_${use}`
  const sql = `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql
${SEARCH_PATH} AS $$ ${body} $$`
  return { type: 'function', name, sql }
}

function trigger(
  view: string,
  event: (typeof TRIGGERS)[number],
  when: string,
  referencing: string,
  run: (typeof FUNCTIONS)[number],
): SchemaObject {
  const name = `${view}_${event}`
  const sql = `CREATE OR REPLACE TRIGGER ${name} ${when} ON employees ${referencing}
FOR EACH STATEMENT EXECUTE FUNCTION ${view}_${run}()`
  return { type: 'trigger', name, sql }
}
