import type { ViewChange } from '../view-changes.js'
import type { GeneratedView } from '../views/generate.js'
import { assertReads } from './assert-reads.js'
import { fingerprint } from './catalog.js'
import type { Connection } from './connection.js'
import { FUNCTIONS, TRIGGERS } from './dialect.js'

/** A release that was not heard of for so long is gone; those that run say so four times as often. */
const GONE = "clock_timestamp() - interval '120 seconds'"
/** What nobody has used for so long is forgotten: its next start counts as that of a new release. */
const FORGOTTEN = "clock_timestamp() - interval '1 hour'"
/** The definition of a view that a release does not know. */
const NONE = ''

/** What the database has of a view. */
interface Found {
  view: string
  /** The definition in place. */
  current: string
  /** What the catalog said when it was put in place. */
  madeAs: string | null
  /** Whether this release's definition was seen here before, and whether another one was; and lately. */
  seen: boolean
  others: boolean
  othersInUse: boolean
}

const FIND = `SELECT names.view, coalesce(versions.definition, '') AS current, versions.made_as AS "madeAs",
    coalesce(bool_or(known.definition = own.definition), false) AS seen,
    coalesce(bool_or(known.definition <> own.definition), false) AS others,
    coalesce(bool_or(known.definition <> own.definition AND known.seen_at > ${GONE}), false) AS "othersInUse"
  FROM (
    SELECT view FROM unnest($1::text[]) AS given (view)
    UNION SELECT view FROM view_versions UNION SELECT view FROM view_definitions
  ) AS names
  CROSS JOIN LATERAL (
    SELECT coalesce(max(definition), '') AS definition
    FROM unnest($1::text[], $2::text[]) AS given (view, definition) WHERE given.view = names.view
  ) AS own
  LEFT JOIN view_versions AS versions ON versions.view = names.view
  LEFT JOIN view_definitions AS known ON known.view = names.view
  GROUP BY names.view, versions.definition, versions.made_as ORDER BY names.view`

const PUT = `INSERT INTO view_versions (view, version, definition, made_as)
  VALUES ($1, replace(gen_random_uuid()::text, '-', ''), $2, $3)
  ON CONFLICT (view) DO UPDATE SET version = excluded.version, definition = excluded.definition,
    made_as = excluded.made_as, changed_at = excluded.changed_at`
const SEE = `INSERT INTO view_definitions (view, definition) VALUES ($1, $2)
  ON CONFLICT (view, definition) DO UPDATE SET seen_at = excluded.seen_at`
/** For what is made from here on in the transaction: temporary tables of the same names come last. */
const OWN_SCHEMA = `SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)`
const SEE_OTHERS =
  'UPDATE view_definitions SET seen_at = clock_timestamp() WHERE view = $1 AND definition <> $2'
const FORGET = `DELETE FROM view_definitions WHERE view = $1 AND seen_at < ${FORGOTTEN}`

/**
 * Holds a database to the definitions of this release, as the keeper of SQLite does and for the same
 * reasons: whatever it replaces or puts back gives a view a new version; releases that differ in a
 * definition take turns, and to the one whose turn it is not the view is foreign.
 *
 * PostgreSQL keeps what a trigger means and not how it was written, so what the catalog says of it when
 * it is made is what it must say later.
 */
export class ViewKeeper {
  readonly #own: ReadonlyMap<string, GeneratedView>
  readonly #foreign = new Set<string>()

  constructor(views: readonly GeneratedView[]) {
    this.#own = new Map(views.map((view) => [view.name, view]))
  }

  /** Whether {@link keep} has anything to do: a few reads, and no lock. */
  async isDue(connection: Connection): Promise<boolean> {
    for (const found of await this.#find(connection)) {
      if (found.others || !(await this.#isSettled(connection, found))) return true
    }
    return false
  }

  /** The views of this release's definition of which something was changed by hand. */
  async unsettled(connection: Connection): Promise<string[]> {
    const found = await this.#find(connection)
    const own = found.filter(({ view, current }) => current === this.#hash(view))
    const settled = await Promise.all(own.map((each) => this.#isSettled(connection, each)))
    return own.filter((_, index) => !settled[index]).map(({ view }) => view)
  }

  /**
   * Puts the definitions in place; to be run inside a transaction that keeps other keepers out. It writes
   * nothing if nothing changed.
   *
   * @param isStart whether this release starts: a definition that was never seen before comes first
   */
  async keep(connection: Connection, isStart = false): Promise<ViewChange[]> {
    const changes: ViewChange[] = []
    for (const found of await this.#find(connection)) {
      const { view } = found
      const what = await this.#keep(connection, found, isStart)
      const isNews = what !== 'foreign' || !this.#foreign.has(view)
      if (what === 'foreign') this.#foreign.add(view)
      else this.#foreign.delete(view)
      if (what && isNews) changes.push({ view, what })
    }
    return changes
  }

  async #find(connection: Connection): Promise<Found[]> {
    const views = [...this.#own.values()]
    const values = [views.map(({ name }) => name), views.map(({ hash }) => hash)]
    return (await connection.query<Found>(FIND, values)).rows
  }

  #hash(name: string): string {
    return this.#own.get(name)?.hash ?? NONE
  }

  async #keep(
    connection: Connection,
    found: Found,
    isStart: boolean,
  ): Promise<ViewChange['what'] | undefined> {
    const { view, seen, others } = found
    const hash = this.#hash(view)
    const isSettled = await this.#isSettled(connection, found)
    const what = isSettled ? undefined : await this.#settle(connection, found, isStart && !seen)
    if (others) {
      await connection.query(SEE, [view, hash])
      await connection.query(FORGET, [view])
    } else if (hash === NONE) {
      await connection.query('DELETE FROM view_definitions WHERE view = $1', [view])
    } else if (!seen) {
      await connection.query(SEE, [view, hash])
    }
    return what
  }

  async #settle(
    connection: Connection,
    { view, current, othersInUse }: Found,
    isNew: boolean,
  ): Promise<ViewChange['what']> {
    const hash = this.#hash(view)
    if (current === hash) {
      await this.#put(connection, view)
      return 'repaired'
    }
    if (!isNew && othersInUse) return 'foreign'
    await this.#put(connection, view)
    // They may be in use, and had no reason to say so before there were two.
    await connection.query(SEE_OTHERS, [view, hash])
    return hash === NONE ? 'removed' : 'defined'
  }

  /** Whether the view has this release's definition, and all that was generated from it. */
  async #isSettled(connection: Connection, { view, current, madeAs }: Found): Promise<boolean> {
    if (current !== this.#hash(view)) return false
    return current === NONE || (await fingerprint(connection, view)) === madeAs
  }

  async #put(connection: Connection, name: string): Promise<void> {
    const view = this.#own.get(name)
    if (!view) {
      await remove(connection, name)
      return
    }
    await connection.query(OWN_SCHEMA)
    // Triggers are replaced: to drop one, all who read employees must have ended.
    for (const { type, sql } of view.objects) {
      if (type === 'view') await putView(connection, name, sql)
      else await connection.query(sql)
    }
    await assertReads(connection, view)
    await connection.query(PUT, [name, view.hash, await fingerprint(connection, name)])
  }
}

/** A view can be replaced unless its columns are others; somebody's own views may stand on it. */
async function putView(connection: Connection, name: string, sql: string): Promise<void> {
  await connection.query('SAVEPOINT one_view')
  try {
    await connection.query(sql)
  } catch {
    await connection.query('ROLLBACK TO one_view')
    await connection.query(`DROP VIEW IF EXISTS ${quoted(name)}`)
    await connection.query(sql)
  }
}

async function remove(connection: Connection, name: string): Promise<void> {
  await connection.query(`DROP VIEW IF EXISTS ${quoted(name)}`)
  for (const trigger of TRIGGERS) {
    await connection.query(`DROP TRIGGER IF EXISTS ${quoted(`${name}_${trigger}`)} ON employees`)
  }
  for (const each of FUNCTIONS) {
    await connection.query(`DROP FUNCTION IF EXISTS ${quoted(`${name}_${each}`)}()`)
  }
  await connection.query('DELETE FROM view_versions WHERE view = $1', [name])
  await connection.query('DELETE FROM view_changes WHERE view = $1', [name])
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
