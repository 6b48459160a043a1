import { ViewStream } from '../json-array-stream.js'
import { inJson, type Part } from '../parts.js'
import type { ViewAge, ViewChanged, ViewStore } from '../store.js'
import { changedParts, type Link, type ViewState } from '../view-chain.js'
import type { GeneratedView } from '../views/generate.js'
import { knownViews, unheardOf } from '../views/known.js'
import { PING_MS, type Primary } from './primary.js'
import type { Ask, Snapshots } from './snapshots.js'
import type { VersionTrain } from './version-train.js'

const STATE = 'SELECT version, number FROM view_versions WHERE view = $1 AND definition = $2'
const AGES = `SELECT view, extract(epoch FROM changed_at)::double precision AS "changedAt", number
  FROM view_versions ORDER BY view`
const LINKS = `SELECT version, number, parts FROM view_changes
  WHERE view = $1 AND number >= $2 ORDER BY number`

/**
 * The cached views in PostgreSQL.
 *
 * @param isBroken whether nobody keeps a view fresh, so that nothing of it may be cached
 */
export function viewStore(
  primary: Primary,
  train: VersionTrain,
  snapshots: Snapshots,
  views: readonly GeneratedView[],
  isBroken: (view: string) => boolean = () => false,
): ViewStore {
  const known = knownViews(views)
  return {
    async version(view) {
      const { name, hash } = known(view)
      const version = await train.version(hash)
      return (isBroken(name) ? undefined : version) ?? unheardOf().version
    },

    async read(view, deadline) {
      const { name, hash, sql, parts } = known(view)
      const query = { text: sql, values: [] }
      const firstly = { text: STATE, values: [name, hash] }
      const { first, rows } = await snapshots.open('fill', query, { firstly, deadline })
      const state = isBroken(name) ? undefined : (first as ViewState | undefined)
      return new ViewStream(state ?? unheardOf(), rows, state && parts)
    },

    async readChanges(view, since, atMost, deadline) {
      const { name, hash, parts } = known(view)
      if (!parts || isBroken(name)) return undefined
      return snapshots.within(deadline, async (ask) => {
        const [[now], links] = await Promise.all([
          ask<ViewState>(STATE, [name, hash], 'view state'),
          ask<Link>(LINKS, [name, since.number], 'links'),
        ])
        const changed = now && changedParts(since, now, links)
        if (!changed || changed.size > atMost || isBroken(name)) return undefined
        return { ...now, parts: await partsOf(ask, name, parts.sql, changed) }
      })
    },

    async ages() {
      return (await primary.do(({ reader }) => reader.query<ViewAge>(AGES), PING_MS)).rows
    },
  }
}

/** In one round trip. */
function partsOf(
  ask: Ask,
  view: string,
  sql: string,
  parts: Iterable<Part>,
): Promise<ViewChanged['parts']> {
  return Promise.all(
    [...parts].map(async (part) => {
      const rows = await ask<object>(sql, [part], `part of ${view}`)
      return [part, Buffer.from(inJson(rows))] as [Part, Buffer]
    }),
  )
}
