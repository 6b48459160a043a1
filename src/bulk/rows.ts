/** The fields of a row as they stand in the file; without a name column there is no name. */
export interface Fields {
  name?: unknown
  salary: unknown
  department: unknown
}

/** A row of a file: its fields, or why it has none. */
export type Row = { line: number } & ({ fields: Fields } | { fault: string })

/** A longer row is a quote that nobody closed, or no text file: it must not fill the memory. */
export const MAX_ROW_LENGTH = 1024 * 1024
