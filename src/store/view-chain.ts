import { isUnclear, type Part } from './parts.js'

/** A version of a view, and how many it had before. */
export interface ViewState {
  version: string
  number: number
}

/** A version of a view, and the parts that changed with it; none if anything may have. */
export interface Link extends ViewState {
  parts: readonly Part[] | null
}

/**
 * The parts of a view that changed from one version to another, by the links between them; undefined if
 * that cannot be told: the version of before is not among them (it is too old, or of another timeline that
 * a backup has ended), there is a gap, or a link does not say what changed. Never a guess: both ends are
 * known by their versions, which never come back, and what is between them by its numbers.
 *
 * @param links of one snapshot with `to`, ascending, from the number of `from` on
 */
export function changedParts(
  from: ViewState,
  to: ViewState,
  links: readonly Link[],
): ReadonlySet<Part> | undefined {
  const [first, ...later] = links
  const last = links.at(-1)
  if (!isSame(first, from) || !isSame(last, to)) return undefined
  if (later.some(({ number }, index) => number !== from.number + 1 + index)) return undefined
  const changed = new Set<Part>()
  for (const { parts } of later) {
    if (parts === null || parts.some(isUnclear)) return undefined
    for (const part of parts) changed.add(part)
  }
  return changed
}

function isSame(link: Link | undefined, { version, number }: ViewState): boolean {
  return link?.version === version && link.number === number
}
