import type { JsonArrayStream, ViewStream } from './json-array-stream.js'
import type { Employee, EmployeeCreate, EmployeePatch } from './schemas.js'

/** A condition on the employee as it is; throws to leave it so. */
export type Check = (current: Employee) => void

/** What tells a request from another one: a key, and the client that sent it. */
export interface Once {
  client: string
  key: string
}

export interface Page {
  employees: Employee[]
  /** The last id of this page if there is more behind it. */
  next?: number | undefined
}

/**
 * Everything that the service knows about employees, whichever database keeps it. A write that was
 * acknowledged is durable.
 *
 * Every method rejects with an error of status 503 when the database cannot do it now.
 */
export interface EmployeeStore {
  /**
   * With `once`, a call whose key and client created somebody less than a day ago gives that employee
   * as it was then, and rejects with an error of status 422 if it was another one.
   */
  create(employee: EmployeeCreate, once?: Once): Promise<Employee>
  /** Creates all of them, or none. */
  createMany(batch: Iterable<EmployeeCreate>): Promise<void>
  get(id: number): Promise<Employee | undefined>
  /** Changes the given fields; `check` runs in the same transaction. */
  update(id: number, patch: EmployeePatch, check?: Check): Promise<Employee | undefined>
  /** Says whether there was anything to delete; `check` runs in the same transaction. */
  delete(id: number, check?: Check): Promise<boolean>

  /** At most `limit` employees by ascending id, from behind the id `after`. */
  page(query: { limit: number; after?: number; department?: string }): Promise<Page>
  /** Every employee by ascending id as JSON, from one snapshot, in constant memory. */
  list(query: { after?: number; department?: string }): Promise<JsonArrayStream>

  /**
   * The version of a cached view: a random token that the database replaces in the very transaction
   * that changes what the view shows.
   */
  version(view: string): string | Promise<string>
  /** Reads a cached view as it is now. */
  view(view: string): Promise<ViewStream>

  /** Calls a listener for each commit of this process, before its writes are answered. */
  onCommit(listener: () => void): void

  /** Resolves if the database answers. */
  ping(): Promise<void>
  close(): void
}
