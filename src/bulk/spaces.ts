import type { Fields } from './rows.js'

/**
 * Leaves out the spaces around the name and the department, those that cannot be seen included: two
 * departments that look the same are one.
 *
 * @returns around how many there were any
 */
export function trim(fields: Fields): number {
  let count = 0
  for (const field of ['name', 'department'] as const) {
    const text = fields[field]
    if (typeof text !== 'string') continue
    const trimmed = text.trim()
    if (trimmed.length === text.length) continue
    fields[field] = trimmed
    count++
  }
  return count
}
