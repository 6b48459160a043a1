import type { Connection } from './connection.js'
import { FUNCTIONS, TRIGGERS } from './dialect.js'

/** What a view and all that was generated for it are to PostgreSQL, in its own words. */
const WORDS = `SELECT md5(string_agg(words, chr(10) ORDER BY words)) AS md5 FROM (
    SELECT pg_get_viewdef(oid) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = $1 AND relkind = 'v'
    UNION ALL
    SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger
    WHERE tgrelid = 'employees'::regclass AND tgname = ANY ($2)
    UNION ALL
    SELECT pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND proname = ANY ($3)
  ) AS said (words)`

/** Another one when any of it was changed or is missing, or PostgreSQL says it in another way. */
export async function fingerprint(connection: Connection, view: string): Promise<string> {
  const names = (uses: readonly string[]) => uses.map((use) => `${view}_${use}`)
  const { rows } = await connection.query<{ md5: string | null }>(WORDS, [
    view,
    names(TRIGGERS),
    names(FUNCTIONS),
  ])
  return rows[0]?.md5 ?? ''
}
