import { type Static, Type } from '@sinclair/typebox'
import { Department, Employee } from './schemas.js'

/** What a list may be ordered by. */
const FIELDS = ['id', 'name', 'salary', 'department'] as const
export type Field = (typeof FIELDS)[number]
export type Sort = Field | `-${Field}`
export const SORTS: readonly Sort[] = FIELDS.flatMap((field) => [field, `-${field}` as const])

/** What a page may be narrowed by: one department, several of them, a range of salaries, the beginning of names. */
type Filter = 'department' | 'departments' | 'salary' | 'q'

/**
 * What pages are served, in either direction: each order with the filters that one index serves along with
 * it, so that a page costs the same wherever it begins and however many employees there are.
 */
export const served: readonly { by: Field; filters: readonly Filter[] }[] = [
  { by: 'id', filters: [] },
  { by: 'id', filters: ['department'] },
  { by: 'id', filters: ['departments'] },
  { by: 'name', filters: [] },
  { by: 'name', filters: ['q'] },
  { by: 'salary', filters: [] },
  { by: 'salary', filters: ['salary'] },
  { by: 'salary', filters: ['department'] },
  { by: 'salary', filters: ['department', 'salary'] },
  { by: 'department', filters: [] },
]

export const SERVED =
  'id (with up to 10 of department), name (with q), salary (with salary_min, salary_max and one department) or department'

const NEEDS_LIMIT =
  'is required for all but everybody by id, or one department by id: such a list comes in pages'

const bound = (description: string, example: number) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: 1e12, description, examples: [example] }))

/** The query of a list. */
export const ListQuery = Type.Object(
  {
    department: Type.Optional(
      Type.Array(Department, {
        minItems: 1,
        maxItems: 10,
        description: 'Of this department; given several times, of any of them',
        examples: [['Engineering']],
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description: 'The size of a page; needed with whatever goes beyond one department by id',
        examples: [100],
      }),
    ),
    after: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Where to go on: the id of the last employee seen',
        examples: [100],
      }),
    ),
    salary_min: bound('Of this salary or a higher one', 50000),
    salary_max: bound('Of this salary or a lower one', 150000),
    q: Type.Optional(
      Type.String({
        ...Employee.properties.name,
        description: 'How names begin, upper and lower case as they are',
        examples: ['Ada'],
      }),
    ),
    sort: Type.Optional(
      Type.Unsafe<Sort>({
        type: 'string',
        enum: SORTS,
        description: `The order, descending with "-", and among equals by id; without it by name with q, by salary with salary_min or salary_max, else by id. An index serves: ${SERVED}`,
        examples: ['-salary'],
      }),
    ),
    at: Type.Optional(
      Type.String({
        maxLength: 1000,
        description:
          'Where that employee stood in another order than by id, as the Link header says it: then it need not be there still',
        examples: ['MTIwMDAw'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof ListQuery>

/** Where a page begins: behind an employee, who stands at a value of what the list is ordered by. */
export interface Position {
  id: number
  value?: number | string
}

/** A page as a store reads it. */
export interface PageQuery {
  by: Field
  isDescending: boolean
  limit: number
  departments: string[]
  salary?: { min: number; max: number }
  q?: string
  after?: Position
  isCounted: boolean
}

/** Whether a query asks for nothing but employees by ascending id, of one department or of all. */
export function isPlain({ department, salary_min, salary_max, q, sort, at }: ListQuery): boolean {
  return (
    (sort === undefined || sort === 'id') &&
    (department === undefined || department.length === 1) &&
    q === undefined &&
    at === undefined &&
    salary_min === undefined &&
    salary_max === undefined
  )
}

/**
 * The page that a query asks for, but for where it begins.
 *
 * @throws an error like Ajv's if no index serves it, or if it has no limit
 */
export function pageQuery(query: ListQuery, isCounted: boolean): PageQuery {
  const { department, salary_min, salary_max, q, limit } = query
  const departments = [...new Set(department)]
  const hasSalary = salary_min !== undefined || salary_max !== undefined
  const sort = query.sort ?? (q !== undefined ? 'name' : hasSalary ? 'salary' : 'id')
  const isDescending = sort.startsWith('-')
  const by = (isDescending ? sort.slice(1) : sort) as Field
  const filters: Filter[] = []
  if (departments.length > 0) filters.push(departments.length > 1 ? 'departments' : 'department')
  if (hasSalary) filters.push('salary')
  if (q !== undefined) filters.push('q')
  assertServed(query, by, filters)
  if (limit === undefined) throw fault('/limit', 'needed', NEEDS_LIMIT)
  return {
    by,
    isDescending,
    limit,
    departments,
    isCounted,
    ...(hasSalary && { salary: { min: salary_min ?? 0, max: salary_max ?? 1e12 } }),
    ...(q !== undefined && { q }),
  }
}

function assertServed(query: ListQuery, by: Field, filters: Filter[]): void {
  const isServed = served.some((one) => one.by === by && `${one.filters}` === `${filters}`)
  if (isServed) return
  const alone = (filter: Filter) =>
    served.some((one) => one.by === by && one.filters.includes(filter))
  // The first that this order does not know; else it is the combination.
  const filter = filters.find((each) => !alone(each)) ?? (filters.at(-1) as Filter)
  const field = {
    department: 'department',
    departments: 'department',
    salary: query.salary_min === undefined ? 'salary_max' : 'salary_min',
    q: 'q',
  }[filter] as keyof ListQuery
  throw fault(
    `/${field}`,
    'served',
    `is served by no index, sorted by ${by}${filters.length > 1 ? ' with the other filters' : ''}; what is served is sort by ${SERVED}`,
    {},
    query[field],
  )
}

/** The employee of `after` is no more, and nothing says where it stood. */
export function goneFault(id: number): Error {
  return fault(
    '/after',
    'gone',
    'is of an employee who is there no more: go on by the Link header, or from the first page',
    {},
    id,
  )
}

/** @throws an error like Ajv's for an `at` that is none of ours */
export function valueAt({ at, after }: ListQuery, by: Field): number | string | undefined {
  if (at === undefined) return undefined
  if (after === undefined) throw fault('', 'required', 'is needed', { missingProperty: 'after' })
  const value = by === 'id' ? undefined : decoded(at)
  if (by === 'salary' ? Number.isFinite(value) : isText(value)) return value as number | string
  throw fault('/at', 'cursor', 'must be that of a Link header, with the same sort', {}, at)
}

/** A value of a sort, as text that means nothing to a client. */
export function encodeValue(value: number | string): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decoded(at: string): unknown {
  try {
    return JSON.parse(Buffer.from(at, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** Whether it is text that a database takes. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}

function fault(path: string, keyword: string, message: string, params = {}, data?: unknown): Error {
  return Object.assign(new Error(message), {
    validationContext: 'querystring',
    validation: [{ keyword, instancePath: path, message, params, data }],
  })
}
