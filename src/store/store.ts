import type { View } from '../../drizzle/define-view.js'
import type { employees } from '../../drizzle/sqlite/schema.js'
import type { JsonArrayStream, ViewStream } from './json-array-stream.js'
import type { Part } from './parts.js'
import type { ViewState } from './view-chain.js'

/** An employee as every database keeps it. */
export type Employee = typeof employees.$inferSelect
export type NewEmployee = Omit<Employee, 'id'>

/** A condition on the employee as it is; throws to leave it so. */
export type Check = (current: Employee) => void

/** Within which an idempotency key stands for one request: a client's keys are its own. */
export interface IdempotencyScope {
  client: string
  key: string
}

/** A request that may be sent again, with the hash of its body. */
export interface KeyedRequest extends IdempotencyScope {
  body: Buffer
}

export interface Page {
  employees: Employee[]
  /** The last id of this page if there is more behind it. */
  next?: number | undefined
}

/** A page in an order and with filters that an index serves. */
export interface PageQuery {
  by: keyof Employee
  isDescending: boolean
  limit: number
  /** Of any of these; of all if there are none. */
  departments: string[]
  /** Both ends are in it. */
  salary?: { min: number; max: number }
  /** How names begin. */
  q?: string
  /** Behind an employee, who stands at a value of what the page is ordered by; the id says it all by itself. */
  after?: { id: number; value?: number | string }
  /** Whether all that the filters let through are counted, which costs as much as there are. */
  isCounted: boolean
}

/** A page, and how many there are on all of them if that was asked for. */
export interface SortedPage {
  employees: Employee[]
  /** Whether there are more behind it. */
  hasMore: boolean
  total?: number
}

/** Employees that are created together, however many: their ids follow each other. */
export interface Imported {
  count: number
  first: number
  last: number
}

/**
 * Employees on their way into the database, in constant memory: staged where nobody sees them, then created
 * in one transaction, for which other writes wait.
 */
export interface EmployeeImport {
  /** Takes one; gives a promise where the next one must wait for it. */
  add(employee: NewEmployee): Promise<void> | undefined
  /**
   * Creates all of them in their order, or none; with a `request` as {@link EmployeeStore.create} does with a
   * scope. Rejects with status 503 if it would keep other writes waiting for longer than they do.
   */
  commit(request?: KeyedRequest): Promise<Imported>
  /** Whenever it is done with: of what was not committed, nothing is kept. */
  close(): Promise<void>
}

/**
 * Everything that the service knows about employees, whichever database keeps it. A write that was
 * acknowledged is durable.
 *
 * Every method rejects with an error of status 503 when the database cannot do it now.
 */
export interface EmployeeStore {
  /**
   * With a `scope`, a call within it that created somebody less than a day ago gives that employee as
   * it was then, and rejects with an error of status 422 if it was another one; or of status 429 and
   * with `retryAfter`, in seconds, if the client has used too many keys.
   */
  create(employee: NewEmployee, scope?: IdempotencyScope): Promise<Employee>
  /** As `create`, of all of them in their order, or none. */
  createAll(employees: readonly NewEmployee[], scope?: IdempotencyScope): Promise<Employee[]>
  /** Begins to create very many; the signal ends it, up to the commit. */
  import(signal: AbortSignal): Promise<EmployeeImport>
  /** Creates all of them, or none, and tells no ids. */
  createMany(batch: Iterable<NewEmployee>): Promise<void>
  get(id: number): Promise<Employee | undefined>
  /** Changes the given fields; `check` runs in the same transaction. */
  update(id: number, patch: Partial<NewEmployee>, check?: Check): Promise<Employee | undefined>
  /** Says whether there was anything to delete; `check` runs in the same transaction. */
  delete(id: number, check?: Check): Promise<boolean>

  /** At most `limit` employees by ascending id, from behind the id `after`. */
  page(query: { limit: number; after?: number; department?: string }): Promise<Page>
  /** A page in another order, with other filters, or with how many there are: all of one snapshot. */
  sortedPage(query: PageQuery): Promise<SortedPage>
  /** Every employee by ascending id as JSON, from one snapshot, in constant memory. */
  list(query: { after?: number; department?: string }): Promise<JsonArrayStream>

  /** Calls a listener for each commit of this process, before its writes are answered. */
  onCommit(listener: () => void): void

  /** Resolves if the database answers. */
  ping(): Promise<void>
}

/**
 * The cached views. The methods fail as those of {@link EmployeeStore} do, and for a view that is in
 * no file of `drizzle/views`.
 */
export interface ViewStore {
  /**
   * The version of a view: a random token that the database replaces in the very transaction that
   * changes what the view shows. While a release that defines the view in another way runs over the
   * same database, each call gives a token of its own, so that nothing of the view is kept.
   */
  version(view: View): string | Promise<string>
  /**
   * Reads a view as it is now, as this release defines it.
   *
   * @param deadline until when the database may begin to answer, in milliseconds of `performance.now()`
   */
  read(view: View, deadline?: number): Promise<ViewStream>
  /**
   * Reads the parts of a view that changed since a version, as they are now: all from one snapshot.
   * Undefined if nobody can tell which they are, or they are more than `atMost`: read the whole.
   */
  readChanges(
    view: View,
    since: ViewState,
    atMost: number,
    deadline?: number,
  ): Promise<ViewChanged | undefined>
  /** How old the version of each view in the database is, by name. Nobody waits long for it. */
  ages(): Promise<ViewAge[]>
}

/** A view as it is now, as far as it is not what it was. */
export interface ViewChanged extends ViewState {
  /** Each with its rows as they stand in the JSON of the view; empty if it has none. */
  parts: [part: Part, json: Buffer][]
}

/** What a database gives. */
export interface Store {
  employees: EmployeeStore
  views: ViewStore
  stats(): StoreStats
  close(): Promise<void>
}

/** What became of one transaction of writes. */
export interface Batch {
  writes: number
  /** From BEGIN to the end of COMMIT. */
  seconds: number
  /** Nothing of it was kept, as far as anybody knows. */
  failed: boolean
}

/** How a store is doing. */
export interface StoreStats {
  /** In rows. */
  writesWaiting: number
  readers: { open: number; idle: number; limit: number }
  /** Of a database that is a server. */
  server?: ServerStats
}
/** How it goes with the server of a database. */
export interface ServerStats {
  /** `host:port` of the one that takes writes. */
  host: string | undefined
  /** Since when it is proven to be that, in seconds; none where nothing is asked for. */
  proofAge: number | undefined
  /** How often it was lost. */
  losses: number
  /** Queries for the versions of views, and requests that were answered by one. */
  probes: number
  probed: number
  /** Transactions of writes that were run again. */
  retries: number
}

/** What the database knows of the versions of a view. */
export interface ViewAge {
  view: string
  /** When it last got a new version: Unix time in seconds. */
  changedAt: number
  /** Counts its versions, and only grows. */
  number: number
}
