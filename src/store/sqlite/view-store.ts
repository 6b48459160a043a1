import { setImmediate as nextTurn } from 'node:timers/promises'
import { ViewStream } from '../json-array-stream.js'
import { inJson, type Part } from '../parts.js'
import type { ViewAge, ViewChanged, ViewStore } from '../store.js'
import { changedParts, type Link, type ViewState } from '../view-chain.js'
import type { GeneratedView } from '../views/generate.js'
import { knownViews, unheardOf } from '../views/known.js'
import { asDatabaseError, attempt } from './errors.js'
import type { Drizzle } from './open.js'
import type { Snapshot, Snapshots } from './snapshots.js'

/** None for a view of another definition. */
const VERSION = 'SELECT version FROM view_versions WHERE view = ? AND definition = ?'
const STATE = 'SELECT version, number FROM view_versions WHERE view = ? AND definition = ?'
const AGES = 'SELECT view, changed_at AS changedAt, number FROM view_versions ORDER BY view'
const LINKS = `SELECT number, version, part, part_before AS partBefore FROM view_changes
  WHERE view = ? AND number BETWEEN ? AND ? ORDER BY number`

/** The cached views in SQLite. */
export function viewStore(
  client: Drizzle['$client'],
  snapshots: Snapshots,
  views: readonly GeneratedView[],
): ViewStore {
  // The probe in front of every cached answer: the bare driver, without Drizzle's mapping of rows.
  const probe = client.prepare<[string, string], string>(VERSION).pluck()
  const ages = client.prepare<[], ViewAge>(AGES)
  const known = knownViews(views)
  return {
    version(view) {
      const { name, hash } = known(view)
      return attempt(() => probe.get(name, hash)) ?? unheardOf().version
    },

    async read(view) {
      const { name, hash, sql, parts } = known(view)
      const snapshot = await snapshots.open('fill')
      try {
        const state = snapshot.first<ViewState>(STATE, name, hash)
        return new ViewStream(state ?? unheardOf(), snapshot.rows(sql), state && parts)
      } catch (error) {
        snapshot.close()
        throw asDatabaseError(error)
      }
    },

    async readChanges(view, since, atMost) {
      const { name, hash, parts } = known(view)
      if (!parts) return undefined
      const snapshot = await snapshots.open('fill')
      try {
        const now = snapshot.first<ViewState>(STATE, name, hash)
        const changed = now && changedParts(since, now, linksOf(snapshot, name, since, now))
        if (!changed || changed.size > atMost) return undefined
        return { ...now, parts: await partsOf(snapshot, parts.sql, changed) }
      } catch (error) {
        throw asDatabaseError(error)
      } finally {
        snapshot.close()
      }
    },

    async ages() {
      return attempt(() => ages.all())
    },
  }
}

function linksOf(snapshot: Snapshot, view: string, from: ViewState, to: ViewState): Link[] {
  const links = snapshot.all<SqliteLink>(LINKS, view, from.number, to.number)
  return links.map(({ version, number, part, partBefore }) => ({
    version,
    number,
    parts: part === null ? null : partBefore === null ? [part] : [part, partBefore],
  }))
}
type SqliteLink = ViewState & { part: Part | null; partBefore: Part | null }

/** How long parts are read before others have a turn of the event loop, in milliseconds. */
const TURN_MS = 1

async function partsOf(snapshot: Snapshot, sql: string, parts: Iterable<Part>) {
  const read: ViewChanged['parts'] = []
  let begun = performance.now()
  for (const part of parts) {
    if (performance.now() - begun > TURN_MS) {
      await nextTurn()
      begun = performance.now()
    }
    read.push([part, Buffer.from(inJson(snapshot.all(sql, { part })))])
  }
  return read
}
