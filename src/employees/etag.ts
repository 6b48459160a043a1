import { hash } from 'node:crypto'
import type { Employee } from './schemas.js'

/**
 * The strong entity tag of an employee (RFC 9110, section 8.8.3): a digest of the representation, so
 * two that are equal byte for byte share it, and no others do.
 */
export function employeeEtag({ id, name, salary, department }: Employee): string {
  const digest = hash('sha256', JSON.stringify([id, name, salary, department]), 'base64url')
  return `"${digest.slice(0, 22)}"`
}
