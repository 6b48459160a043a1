import type { NewEmployee } from './store.js'

/** Fields that tell employees apart. */
export type Key = readonly ('name' | 'department')[]

/** A row of a file, by the line that it stands on. */
export interface LinedEmployee extends NewEmployee {
  line: number
}

/** A row that has the key of one before it. */
export interface Repeated {
  line: number
  /** Of the first row that has it. */
  earlier: number
}

/** A row that could mean several employees. */
export interface Ambiguous {
  line: number
  employees: number
  /** The least of their ids. */
  first: number
}

/** How many rows there are of a kind, and the first of them. */
export interface Some<Row> {
  count: number
  first: Row[]
}

export interface Changes {
  created: number
  updated: number
  unchanged: number
}

/** What the tools do with very many employees, whichever database keeps them. */
export interface Bulk {
  /** How many employees there are. */
  count(): Promise<number>

  /**
   * Adds very many employees, all of them or none. It waits for those who write, for up to a minute.
   *
   * @param interrupt ends it, up to the last moment before the commit
   * @returns how many were added
   * @throws what `rows` throws, an error of the database, or anything at an interrupt
   */
  load(rows: Iterable<NewEmployee>, interrupt?: AbortSignal): Promise<number>

  /**
   * Stages rows that each create somebody; undefined where they are rather written batch by batch, so that
   * others write in between.
   */
  append(interrupt: AbortSignal): Promise<Staging | undefined>

  /** Stages rows that bring the employees who have the same key up to date. */
  update(key: Key, interrupt: AbortSignal): Promise<Staging>
}

/**
 * Rows on their way into the database: staged where nobody sees them, then written in one transaction, in
 * bounded memory. The methods are called in the order in which they stand here; each may fail at an
 * interrupt, with any error.
 */
export interface Staging {
  /** Takes a row; gives a promise where the next one must wait for it. */
  add(row: LinedEmployee): Promise<void> | undefined
  /** Ends the staging, and finds the rows that have the key of an earlier one. */
  repeated(limit: number): Promise<Some<Repeated>>
  /** Begins the transaction that writes. It waits for those who write, for up to a minute. */
  begin(): Promise<void>
  /** Finds the employees of the rows, and gives the rows that have several. */
  ambiguous(limit: number): Promise<Some<Ambiguous>>
  /**
   * Writes what is different; a row that changes nothing is not written.
   *
   * @param onProgress told how many rows are done, where they are written one behind the other
   */
  write(onProgress: (rows: number) => void): Promise<Changes>
  /** @throws an error that says so when nobody knows whether it was done */
  commit(): Promise<void>
  /** Whenever it is done with: of what was not committed, nothing is kept. */
  close(): Promise<void>
}
