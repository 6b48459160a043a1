import type { Readable } from 'node:stream'
import { linesOf } from '../http/lines.js'
import { type ColumnNames, findColumns } from './columns.js'
import { MAX_ROW_LENGTH, type Row } from './rows.js'

/** The members of an object that hold the fields. */
interface Members {
  name: string | undefined
  salary: string
  department: string
}

/**
 * Reads NDJSON: a JSON object on each line; empty lines are passed over. The members of the first
 * object are the columns.
 *
 * @throws an error that names a line too long to be one, and the errors of {@link findColumns}
 */
export async function* readNdjson(bytes: Readable, names: ColumnNames): AsyncGenerator<Row> {
  let members: Members | undefined
  for await (const { line, text } of linesOf(bytes, MAX_ROW_LENGTH)) {
    if (text.trim() === '') continue
    const object = parseObject(text)
    if (typeof object === 'string') {
      yield { line, fault: object }
      continue
    }
    members ??= findMembers(object, names)
    yield { line, ...pick(object, members) }
  }
}

function pick(object: Record<string, unknown>, { name, salary, department }: Members) {
  const fields = { salary: object[salary], department: object[department] }
  if (name !== undefined) return { fields: { ...fields, name: object[name] } }
  // Rather than to invent a name for somebody who has one.
  return 'name' in object ? { fault: 'name must be in the first row too' } : { fields }
}

function findMembers(object: Record<string, unknown>, names: ColumnNames): Members {
  const keys = Object.keys(object)
  const { name, salary, department } = findColumns(keys, names)
  return {
    name: name === undefined ? undefined : keys[name],
    salary: keys[salary] as string,
    department: keys[department] as string,
  }
}

/** The object of a line, or why there is none. */
function parseObject(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : 'it must be a JSON object'
  } catch (error) {
    // The line that it counts is always 1.
    const why = (error as Error).message.replace(/ in JSON at .*\b(column \d+)\)$/, ' at $1')
    return `it is no JSON, or cut off (${why})`
  }
}
