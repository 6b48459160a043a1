import { allKinds, type KindOfProblem } from './all-kinds.js'

export type Kind = keyof typeof allKinds
export type ProblemType = `/problems/${Kind}`

export const kinds: { readonly [kind in Kind]: KindOfProblem } = allKinds

/** The URI reference of a kind, where it is explained: what is compared, never parsed. */
export const typeOf = (kind: Kind): ProblemType => `/problems/${kind}`

export const kindNames = Object.keys(allKinds) as Kind[]

/** Every status that a problem has, ascending. */
export const statuses = [...new Set(kindNames.map((kind) => kinds[kind].status))].sort()

export const kindsOf = (status: number): Kind[] =>
  kindNames.filter((kind) => kinds[kind].status === status)

const byCode = new Map(
  kindNames.flatMap((kind) => kinds[kind].codes.map((code) => [code, kind] as const)),
)

/** The kind of an error: by its code, unless its status is another, or else by its status. */
export function kindOf(status: number, code?: string): Kind {
  const kind = code === undefined ? undefined : byCode.get(code)
  if (kind && kinds[kind].status === status) return kind
  return kindsOf(status)[0] ?? (status < 500 ? 'bad-request' : 'internal')
}
