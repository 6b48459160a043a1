import { firstOf, numbered } from '../idempotency-digests.js'
import type { Check, Employee, KeyedRequest, NewEmployee } from '../store.js'
import type { IdempotencyChanges } from './idempotency-keys.js'

export type { Employee }

interface Create {
  what: 'create'
  employees: readonly NewEmployee[]
  /** Of a request that may be sent again. */
  keyed?: KeyedRequest | undefined
}
interface Update {
  what: 'update'
  id: number
  patch: Partial<NewEmployee>
  check?: Check | undefined
}
interface Delete {
  what: 'delete'
  id: number
  check?: Check | undefined
}

/** A write of one request. */
export type Operation = Create | Update | Delete

/** How many rows an operation writes. */
export function rowsOf(operation: Operation): number {
  return operation.what === 'create' ? operation.employees.length : 1
}

export type Outcome = { value: unknown } | { error: unknown }

/** What is to be written for all operations of a batch: at most one change of each row. */
export class Changes {
  readonly inserted: Employee[] = []
  readonly updated: Employee[] = []
  readonly deleted: number[] = []
  readonly keys: IdempotencyChanges

  constructor(keys: IdempotencyChanges) {
    this.keys = keys
  }
}

/**
 * Does all operations in their order, each on what the one before has left. One that throws changes
 * nothing.
 *
 * @param found the employees whom they name, as they are
 * @param ids for those that are created, by ascending id
 * @param changes gets what is to be written
 */
export function perform(
  operations: readonly Operation[],
  found: ReadonlyMap<number, Employee>,
  ids: readonly number[],
  changes: Changes,
): Outcome[] {
  const now = new Map<number, Employee | undefined>(found)
  let used = 0
  const outcomes = operations.map((operation): Outcome => {
    try {
      return { value: operation.what === 'create' ? create(operation) : change(operation) }
    } catch (error) {
      return { error }
    }
  })
  for (const [id, before] of found) {
    const after = now.get(id)
    if (after === undefined) changes.deleted.push(id)
    else if (after !== before) changes.updated.push(after)
  }
  return outcomes

  function create({ employees, keyed }: Create): Employee[] {
    const own = () => employees.map(() => ids[used++] as number)
    const insert = (given: readonly number[]) => {
      const created = employees.map(({ name, salary, department }, index) => {
        return { id: given[index] as number, name, salary, department }
      })
      changes.inserted.push(...created)
      return created
    }
    if (!keyed) return insert(own())
    const first = changes.keys.once(keyed, () => {
      const given = own()
      const first = firstOf(given)
      insert(given)
      return first
    })
    return numbered(first, employees)
  }

  function change(operation: Update | Delete): Employee | boolean | undefined {
    const current = now.get(operation.id)
    if (!current) return operation.what === 'update' ? undefined : false
    operation.check?.(current)
    const after = operation.what === 'update' ? { ...current, ...operation.patch } : undefined
    now.set(operation.id, after)
    return after ?? true
  }
}
