import type Sqlite from 'better-sqlite3'
import type { ViewChange } from '../view-changes.js'
import type { GeneratedView } from '../views/generate.js'
import { assertReads } from './assert-reads.js'
import { EVENTS, triggerName } from './dialect.js'

/** A release that was not heard of for so long is gone; those that run say so four times as often. */
const GONE_SECONDS = 120
/** What nobody has used for so long is forgotten: its next start counts as that of a new release. */
const FORGOTTEN_SECONDS = 60 * 60
/** The definition of a view that a release does not know. */
const NONE = ''

/**
 * Holds a database to the definitions of this release. Whatever it replaces or puts back gives a view
 * a new version, so nothing that was cached before is used after.
 *
 * Releases that differ in a definition may run over one database at once. A view has one definition at
 * a time: that of the release which was new when it started last. To the other release it is foreign:
 * that one reads the view by its own query and caches nothing of it (see the store's `version`). It
 * takes its turn when the first one is gone, and never while that runs, so that two releases do not
 * replace each other's triggers for ever. Both say that they run, as long as there are two.
 */
export class ViewKeeper {
  readonly #client: Sqlite.Database
  readonly #own: ReadonlyMap<string, GeneratedView>
  readonly #statements: ReturnType<typeof prepare>
  readonly #foreign = new Set<string>()

  /** @param client of a database that has all migrations */
  constructor(client: Sqlite.Database, views: readonly GeneratedView[]) {
    this.#client = client
    this.#own = new Map(views.map((view) => [view.name, view]))
    this.#statements = prepare(client)
  }

  /** Whether {@link keep} has anything to do: a few reads, and no lock. */
  isDue(): boolean {
    return this.#names().some(
      (name) => !this.#isSettled(name) || this.#statements.others.get(name, this.#hash(name)) === 1,
    )
  }

  /**
   * Puts the definitions in place; to be run inside a transaction. It writes nothing if nothing changed.
   *
   * @param isStart whether this release starts: a definition that was never seen before comes first
   */
  keep(isStart = false): ViewChange[] {
    const changes: ViewChange[] = []
    for (const view of this.#names()) {
      const what = this.#keep(view, isStart)
      const isNews = what !== 'foreign' || !this.#foreign.has(view)
      if (what === 'foreign') this.#foreign.add(view)
      else this.#foreign.delete(view)
      if (what && isNews) changes.push({ view, what })
    }
    return changes
  }

  /** Every view that a release over this database knows or knew lately. */
  #names(): string[] {
    return [...new Set([...this.#own.keys(), ...this.#statements.names.all()])]
  }

  #hash(name: string): string {
    return this.#own.get(name)?.hash ?? NONE
  }

  #keep(name: string, isStart: boolean): ViewChange['what'] | undefined {
    const { seen, others, see, forget, forgetAll } = this.#statements
    const hash = this.#hash(name)
    const wasSeen = seen.get(name, hash) === 1
    const what = this.#isSettled(name) ? undefined : this.#settle(name, isStart && !wasSeen)
    if (others.get(name, hash) === 1) {
      see.run(name, hash)
      forget.run(name)
    } else if (hash === NONE) {
      forgetAll.run(name)
    } else if (!wasSeen) {
      see.run(name, hash)
    }
    return what
  }

  #settle(name: string, isNew: boolean): ViewChange['what'] {
    const { current, othersInUse, seeOthers } = this.#statements
    const hash = this.#hash(name)
    if ((current.get(name) ?? NONE) === hash) {
      this.#put(name)
      return 'repaired'
    }
    if (!isNew && othersInUse.get(name, hash) === 1) return 'foreign'
    this.#put(name)
    // They may be in use, and had no reason to say so before there were two.
    seeOthers.run(name, hash)
    return hash === NONE ? 'removed' : 'defined'
  }

  /** Whether the view has this release's definition, and all that was generated from it. */
  #isSettled(name: string): boolean {
    const { current, object } = this.#statements
    if ((current.get(name) ?? NONE) !== this.#hash(name)) return false
    const objects = this.#own.get(name)?.objects ?? []
    const expected = new Map(objects.map(({ name, sql }) => [name, sql]))
    return objectNames(name).every((each) => object.get(each) === expected.get(each))
  }

  #put(name: string): void {
    const view = this.#own.get(name)
    if (view) assertReads(this.#client, view)
    for (const each of objectNames(name).slice(1)) {
      this.#client.exec(`DROP TRIGGER IF EXISTS ${quoted(each)}`)
    }
    this.#client.exec(`DROP VIEW IF EXISTS ${quoted(name)}`)
    for (const { sql } of view?.objects ?? []) this.#client.exec(sql)
    if (view) this.#statements.put.run(name, view.hash)
    else {
      this.#statements.remove.run(name)
      this.#statements.removeChanges.run(name)
    }
  }
}

/** The view, and behind it whatever triggers it may have. */
function objectNames(view: string): string[] {
  return [view, ...EVENTS.map((event) => triggerName(view, event))]
}

function prepare(client: Sqlite.Database) {
  const pluck = <Row>(sql: string) => client.prepare<string[], Row>(sql).pluck()
  const others = 'FROM view_definitions WHERE view = ? AND definition <> ?'
  return {
    names: pluck<string>('SELECT view FROM view_versions UNION SELECT view FROM view_definitions'),
    current: pluck<string>('SELECT definition FROM view_versions WHERE view = ?'),
    object: pluck<string>(
      "SELECT sql FROM sqlite_schema WHERE name = ? AND type IN ('view', 'trigger')",
    ),
    put: client.prepare(
      `INSERT INTO view_versions (view, version, definition) VALUES (?, lower(hex(randomblob(16))), ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, definition = excluded.definition`,
    ),
    remove: client.prepare('DELETE FROM view_versions WHERE view = ?'),
    removeChanges: client.prepare('DELETE FROM view_changes WHERE view = ?'),
    seen: pluck<number>('SELECT 1 FROM view_definitions WHERE view = ? AND definition = ?'),
    others: pluck<number>(`SELECT EXISTS (SELECT 1 ${others})`),
    othersInUse: pluck<number>(
      `SELECT EXISTS (SELECT 1 ${others} AND seen_at > unixepoch() - ${GONE_SECONDS})`,
    ),
    see: client.prepare(
      `INSERT INTO view_definitions (view, definition) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at`,
    ),
    seeOthers: client.prepare(
      'UPDATE view_definitions SET seen_at = unixepoch() WHERE view = ? AND definition <> ?',
    ),
    forgetAll: client.prepare('DELETE FROM view_definitions WHERE view = ?'),
    forget: client.prepare(
      `DELETE FROM view_definitions WHERE view = ? AND seen_at < unixepoch() - ${FORGOTTEN_SECONDS}`,
    ),
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
