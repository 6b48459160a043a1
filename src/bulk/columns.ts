/** The columns that a person named; those left out are called like their field. */
export interface ColumnNames {
  name?: string
  salary?: string
  department?: string
}

/** Where the fields of an employee stand in a row; without a name column, employees get a number. */
export interface Columns {
  name: number | undefined
  salary: number
  department: number
}

const MAX_LISTED = 50

/**
 * Finds the fields' columns in a header: by their exact names, else whatever the case and the spaces
 * around them.
 *
 * @throws an error that lists the columns there are, when one is missing or cannot be told apart
 */
export function findColumns(header: string[], names: ColumnNames): Columns {
  const required = (field: keyof ColumnNames) => {
    const name = names[field] ?? field
    const column = find(header, name)
    if (column !== undefined) return column
    const hint = names[field] === undefined ? ` (--${field} names another)` : ''
    throw new Error(`The file has no column ${JSON.stringify(name)}${hint}; it has ${list(header)}`)
  }
  return {
    name: names.name === undefined ? find(header, 'name') : required('name'),
    salary: required('salary'),
    department: required('department'),
  }
}

function find(header: string[], name: string): number | undefined {
  return only(header, name, (text) => text) ?? only(header, name, folded)
}

function only(header: string[], name: string, form: (text: string) => string): number | undefined {
  const wanted = form(name)
  const column = header.findIndex((text) => form(text) === wanted)
  if (column === -1) return undefined
  if (header.findLastIndex((text) => form(text) === wanted) !== column) {
    throw new Error(`The file has more than one column ${JSON.stringify(name)}: ${list(header)}`)
  }
  return column
}

function folded(text: string): string {
  return text.trim().toLowerCase()
}

function list(header: string[]): string {
  const names = header.slice(0, MAX_LISTED).map((name) => JSON.stringify(name))
  if (header.length > MAX_LISTED) names.push(`${header.length - MAX_LISTED} more`)
  return names.join(', ')
}
