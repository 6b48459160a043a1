import type { FieldError, Problem, ValidationProblem } from './schemas.js'

/** A log is told of so many fields of a request. */
const MAX_FIELDS = 3

/**
 * Why a request failed, for a log: the kind of problem, and of a 400 which fields break which rules. Nothing
 * that was sent, which `detail` may repeat.
 */
export function reasonOf(problem: Problem | ValidationProblem): { kind: string; fields?: string } {
  const kind = problem.type.slice(problem.type.lastIndexOf('/') + 1)
  if (!('errors' in problem)) return { kind }
  const fields = problem.errors.slice(0, MAX_FIELDS).map(told)
  if (problem.errors.length > MAX_FIELDS) fields.push('…')
  return { kind, fields: fields.join(', ') }
}

/** The name of a field that is not known is the client's. */
function told({ path, code }: FieldError): string {
  const known = code === 'unknown' ? path.slice(0, path.lastIndexOf('/')) : path
  return `${known} ${code}`.trim()
}
