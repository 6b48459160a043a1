import { CODINGS } from '../loads.js'
import type { RowResult } from '../measure/results.js'
import { perGigabit } from '../measure/wire.js'

/** What is shown beside one another, in the order of the columns; the limit is in front of them. */
export const LIMIT = 'bare Fastify'
export const COMPARED = ['service', 'service + Redis', 'BentoCache', '@fastify/caching']

/** One request, by all who answer it. */
export interface Comparison {
  name: string
  limit: RowResult | undefined
  /** In the order of {@link COMPARED}. */
  compared: (RowResult | undefined)[]
}

/** The requests that have a limit, or that others answer too. */
export function comparisonsOf(rows: RowResult[]): Comparison[] {
  return [...new Set(rows.map(({ name }) => name))].flatMap((name) => {
    const by = (server: string) => rows.find((row) => row.server === server && row.name === name)
    const [limit, ...compared] = [LIMIT, ...COMPARED].map(by)
    const count = compared.filter((row) => row !== undefined).length
    return limit || count > 1 ? [{ name, limit, compared }] : []
  })
}

/** A form in which a view is sent. */
export interface Form {
  view: string
  server: string
  form: string
  bytes: number
  /** Of the bytes of the identity. */
  share: number
  /** So many in a second at 1 Gbit/s. */
  perGigabit: number
  /** Microseconds, */
  cpu: number
  /** and as a multiple of the identity's. */
  cpuRatio: number | undefined
}

/** The forms in which each view is sent: as it is, compressed, and not at all. */
export function formsOf(rows: RowResult[]): Form[] {
  return rows.flatMap((identity) => {
    const [, view] = /^(.*), hit in this process$/.exec(identity.name) ?? []
    const { server, bytes } = identity
    if (view === undefined || bytes === undefined) return []
    const names = [...CODINGS.map((coding) => `hit, ${coding}`), '304']
    const others = rows.filter(
      (row) =>
        row.server === server &&
        names.includes(row.name.slice(`${view}, `.length)) &&
        row.name.startsWith(view),
    )
    if (others.length === 0) return []
    const isLimit = (row: RowResult) => row.limit?.endsWith(identity.name)
    return [identity, ...others].map((row) => ({
      view,
      server,
      form: row === identity ? 'identity' : row.name.slice(`${view}, `.length).replace('hit, ', ''),
      bytes: row.bytes as number,
      share: (row.bytes as number) / bytes,
      perGigabit: perGigabit(row.bytes as number),
      cpu: row.cpu,
      cpuRatio: row === identity ? 1 : isLimit(row) ? row.cpuRatio : undefined,
    }))
  })
}
