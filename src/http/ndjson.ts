import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import createError from '@fastify/error'
import { fieldErrors } from '../problems/problem.js'
import type { FieldError } from '../problems/schemas.js'
import { linesOf } from './lines.js'
import { BadLine } from './utf8.js'
import type { buildValidator } from './validation.js'

/** The media type of a JSON value on each line (https://github.com/ndjson/ndjson-spec). */
export const NDJSON = 'application/x-ndjson'

export const LIMITS = {
  /** Of a body. */
  bytes: 32 * 1024 * 1024,
  /** Of a body, empty ones, too: each is work. */
  lines: 50_000,
  /** Of a line: several times what the longest employee takes. */
  characters: 16 * 1024,
}
/** Lines between two turns of the event loop, however much has come at once. */
const TURN = 500
/** Lines of which a problem tells, and errors of each. */
const TOLD_LINES = 20
const TOLD_OF_A_LINE = 5

const BadLines = createError(
  'BAD_LINES',
  '%d of %d lines are wrong, and nobody was created: %s',
  400,
)
const TooManyLines = createError(
  'TOO_MANY_LINES',
  `At most ${LIMITS.lines} lines and ${LIMITS.bytes} bytes are read; nobody was created`,
  413,
)
const CutOff = createError('BODY_CUT_OFF', 'The body ended in the middle; nobody was created', 400)

type Validate = ReturnType<ReturnType<typeof buildValidator>>

/**
 * The values of a body of lines, in constant memory, as fast as they are taken. From the first bad line on
 * none is given any more, but all are judged.
 *
 * @throws {BadLines} at the end, with the first twenty
 * @throws {TooManyLines} and {CutOff}
 */
export async function* readNdjson<Value>(
  body: Readable,
  validate: Validate,
): AsyncGenerator<Value> {
  const faults = new Faults()
  let lines = 0
  try {
    for await (const { line, text } of linesOf(bounded(body), LIMITS.characters)) {
      if (line % TURN === 0) await setImmediate()
      if (line > LIMITS.lines) throw new TooManyLines()
      if (text.trim() === '') continue
      lines++
      const value = parsed(text)
      const errors = 'fault' in value ? [malformed(value.fault)] : judged(validate, value.json)
      if (errors.length > 0) faults.add(line, errors)
      else if (faults.count === 0) yield (value as { json: Value }).json
    }
  } catch (error) {
    if (!(error instanceof BadLine)) throw error
    lines++
    faults.add(error.line, [malformed(`${error.why}; what is behind it was not read`)])
  }
  if (lines === 0) faults.add(1, [{ path: '/body', code: 'required', message: 'must have a line' }])
  if (faults.count > 0) throw faults.error(Math.max(lines, 1))
}

/** The same bytes, up to so many; the connection stays when fewer are taken. */
async function* bounded(body: Readable): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of whole(body)) {
    bytes += chunk.length
    if (bytes > LIMITS.bytes) throw new TooManyLines()
    yield chunk
  }
}

async function* whole(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* body.iterator({ destroyOnReturn: false })
  } catch (cause) {
    throw Object.assign(new CutOff(), { cause })
  }
}

function parsed(text: string): { json: unknown } | { fault: string } {
  try {
    return { json: JSON.parse(text) }
  } catch (error) {
    return { fault: `is no JSON: ${(error as Error).message}` }
  }
}

function judged(validate: Validate, value: unknown): FieldError[] {
  return validate(value) ? [] : fieldErrors(validate.errors as never)
}

function malformed(message: string): FieldError {
  return { path: '/body', code: 'malformed', message }
}

/** The first bad lines, and how many there are. */
class Faults {
  readonly #told: FieldError[] = []
  count = 0

  add(line: number, errors: FieldError[]): void {
    if (++this.count > TOLD_LINES) return
    this.#told.push(...errors.slice(0, TOLD_OF_A_LINE).map((error) => ({ ...error, line })))
  }

  error(lines: number): Error {
    const told = this.#told.map(({ line, path, message }) => `line ${line}: ${path} ${message}`)
    const more = this.count > TOLD_LINES ? '; …' : ''
    const error = new BadLines(this.count, lines, told.join('; ') + more)
    return Object.assign(error, { fieldErrors: this.#told })
  }
}
