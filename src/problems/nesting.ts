/** Levels of arrays and objects that a body may have; none of ours has more than one. */
export const MAX_DEPTH = 32

/** Whether a value has more levels than that: found without recursion, which deep input would exhaust. */
export function isTooDeep(value: unknown): boolean {
  let level = [value]
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    level = level.flatMap((each) =>
      typeof each === 'object' && each !== null ? Object.values(each) : [],
    )
    if (level.length === 0) return false
  }
  return true
}
