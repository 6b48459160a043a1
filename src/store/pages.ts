import type { Employee, PageQuery, SortedPage } from './store.js'

type Value = string | number

/** A statement of a database, with the names of its parameters in their order. */
export interface PageStatement {
  text: string
  names: string[]
}

/** How a database writes such statements, and what it takes for one seek. */
export interface PageDialect {
  /** The parameter at a place, which begins with 1. */
  place: (position: number) => string
  /**
   * Whether an index is read from behind a pair on, `(name, id) > (…, …)`. Where it is not, a pair is compared
   * one after the other: all that are equal would be read, from the first on.
   */
  seeksPairs: boolean
}

/** The last code point: a name has at most 100. */
const LAST = '\u{10ffff}'.repeat(100)

/**
 * Makes the statements of pages, each once. A page is read by seeks alone: one for the pair behind which it
 * begins; or, where its columns go different ways or the database knows no pairs, what stands at the very
 * value, by id, and what stands beyond, in the order of the index; of either no more than the page has.
 *
 * Where pairs are known, whatever would let another index pass for one in order is avoided: of rows whose
 * department is said to be equal, the order by id is that of the primary key as well, which would be read past
 * everybody else.
 */
export class PageStatements<Prepared> {
  readonly #dialect: PageDialect
  readonly #prepare: (statement: PageStatement) => Prepared
  readonly #known = new Map<string, { prepared: Prepared; names: string[] }>()

  constructor(dialect: PageDialect, prepare: (statement: PageStatement) => Prepared) {
    this.#dialect = dialect
    this.#prepare = prepare
  }

  /** The statement of a page, and its values. Rows have the columns of employees, and `total` if they are counted. */
  of(query: PageQuery): { prepared: Prepared; values: Value[] } {
    const behind = positionOf(query)
    const { by, isDescending, departments, salary, q, isCounted } = query
    const shape = `${by} ${isDescending} ${departments.length} ${!!salary} ${q !== undefined} ${!!behind} ${isCounted}`
    let known = this.#known.get(shape)
    if (!known) {
      const statement = pageStatement(query, behind !== undefined, this.#dialect)
      known = { prepared: this.#prepare(statement), names: statement.names }
      this.#known.set(shape, known)
    }
    const values = valuesOf(query, behind)
    return { prepared: known.prepared, values: known.names.map((name) => values[name] as Value) }
  }
}

/** The rows of a page, of which one more was asked for than it has, without their total. */
export function sortedPage(
  rows: (Employee & { total?: number })[],
  { limit, isCounted }: PageQuery,
): SortedPage {
  const total = rows[0]?.total
  // Where nobody is on the page, its row has the total alone.
  const employees = isCounted
    ? rows.filter(({ id }) => id !== null).map(({ total: _, ...employee }) => employee)
    : rows
  const hasMore = employees.length > limit
  if (hasMore) employees.pop()
  return { employees, hasMore, ...(isCounted && { total: total ?? 0 }) }
}

/** Where a page begins; a value in front of all that the filters let through is nowhere. */
function positionOf({ by, isDescending, after, salary, q }: PageQuery): PageQuery['after'] {
  if (!after || by === 'id') return after
  const { value = '' } = after
  if (by === 'salary' && salary) {
    const isInFront = isDescending ? Number(value) > salary.max : Number(value) < salary.min
    return isInFront ? undefined : after
  }
  if (by === 'name' && q !== undefined) {
    const end = isDescending ? q + LAST : q
    const order = Buffer.compare(Buffer.from(`${value}`), Buffer.from(end))
    return (isDescending ? order > 0 : order < 0) ? undefined : after
  }
  return after
}

function valuesOf(query: PageQuery, behind: PageQuery['after']): Record<string, Value | undefined> {
  const { limit, departments, salary, q } = query
  return {
    ...Object.fromEntries(
      departments.map((department, index) => [`department${index}`, department]),
    ),
    min: salary?.min,
    max: salary?.max,
    q,
    qEnd: q === undefined ? undefined : q + LAST,
    after: behind?.id,
    value: behind?.value,
    limit: limit + 1,
  }
}

/** What is read of a page by one seek. */
type Seek = 'from the first' | 'at the value' | 'beyond'

function pageStatement(
  query: PageQuery,
  isBehind: boolean,
  { place, seeksPairs }: PageDialect,
): PageStatement {
  const names: string[] = []
  const given = (name: string) => place(names.push(name))
  const { by, isDescending, departments, isCounted } = query
  const [beyond, end] = isDescending ? (['<', '>='] as const) : (['>', '<='] as const)
  // Salaries stand from the highest down in the indexes, and equal ones by ascending id.
  const isIdDescending = by === 'salary' ? !isDescending : isDescending
  const isWithin = seeksPairs && by === 'id' && departments.length > 0
  /** What leads the index in front of the id, where the two are compared as a pair. */
  const leading = isWithin
    ? 'department'
    : seeksPairs && (by === 'name' || by === 'department')
      ? by
      : undefined
  const directions: Record<string, boolean> = {
    [leading ?? by]: isDescending,
    [by]: isDescending,
    id: isIdDescending,
  }
  const order = (columns: string[], table = '') =>
    columns.map((name) => `${table}${name}${directions[name] ? ' DESC' : ''}`).join(', ')
  const columns = [...new Set([by, 'id'])]

  const total = isCounted
    ? `(SELECT count(*) AS total FROM employees${where(filtersOf(query, given))})`
    : undefined
  const seeks: Seek[] = !isBehind
    ? ['from the first']
    : by === 'id' || leading
      ? ['beyond']
      : ['at the value', 'beyond']
  const each = by === 'id' && departments.length > 1 ? departments.map((_, index) => index) : [0]
  const branches = each.flatMap((department) => seeks.map((seek) => branch(seek, department)))
  const page =
    branches.length === 1
      ? branches[0]
      : `SELECT * FROM (${branches.map((text) => `SELECT * FROM (${text}) AS one`).join(' UNION ALL ')}) AS found
         ORDER BY ${order(columns)} LIMIT ${given('limit')}`
  if (!total) return { text: `${page}`, names }
  const text = `SELECT page.id, page.name, page.salary, page.department, total.total
    FROM ${total} AS total LEFT JOIN (${page}) AS page ON true ORDER BY ${order(columns, 'page.')}`
  return { text, names }

  function branch(seek: Seek, department: number): string {
    const conditions: string[] = []
    const own = `department${department}`
    if (isWithin) {
      if (seek === 'beyond') conditions.push(pair('department', own))
      else conditions.push(`department ${isDescending ? '<=' : '>='} ${given(own)}`)
      conditions.push(`department ${end} ${given(own)}`)
    } else {
      if (departments.length > 0) conditions.push(`department = ${given(own)}`)
      if (seek === 'beyond') {
        conditions.push(
          leading
            ? pair(leading, 'value')
            : `${by} ${beyond} ${given(by === 'id' ? 'after' : 'value')}`,
        )
        // The other end is this side of the value: with both, an index could be read from there.
        conditions.push(...rangeOf(query, given, isDescending ? 'lower' : 'upper'))
      } else {
        conditions.push(...rangeOf(query, given))
      }
      if (seek === 'at the value') {
        const at = seeksPairs ? ['>=', '<='] : ['=']
        conditions.push(...at.map((comparison) => `${by} ${comparison} ${given('value')}`))
        conditions.push(`id ${isIdDescending ? '<' : '>'} ${given('after')}`)
      }
    }
    return `SELECT id, name, salary, department FROM employees${where(conditions)}
      ORDER BY ${order(leading ? [leading, 'id'] : columns)} LIMIT ${given('limit')}`
  }

  function pair(column: string, value: string): string {
    return `(${column}, id) ${beyond} (${given(value)}, ${given('after')})`
  }
}

function where(conditions: string[]): string {
  return conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
}

function filtersOf(query: PageQuery, given: (name: string) => string): string[] {
  const places = query.departments.map((_, index) => given(`department${index}`))
  const departments = places.length > 0 ? [`department IN (${places.join(', ')})`] : []
  return [...departments, ...rangeOf(query, given)]
}

function rangeOf(
  { salary, q }: PageQuery,
  given: (name: string) => string,
  end?: 'lower' | 'upper',
): string[] {
  const range: string[] = []
  if (salary && end !== 'upper') range.push(`salary >= ${given('min')}`)
  if (salary && end !== 'lower') range.push(`salary <= ${given('max')}`)
  if (q !== undefined && end !== 'upper') range.push(`name >= ${given('q')}`)
  if (q !== undefined && end !== 'lower') range.push(`name <= ${given('qEnd')}`)
  return range
}
