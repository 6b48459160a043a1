import type { Check, Employee, IdempotencyScope, NewEmployee } from '../store.js'
import type { IdempotencyChanges } from './idempotency-keys.js'

export type { Employee }

interface Create {
  what: 'create'
  employee: NewEmployee
  scope?: IdempotencyScope | undefined
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

  function create({ employee, scope }: Create): Employee {
    const { name, salary, department } = employee
    const insert = () => {
      const created = { id: ids[used++] as number, name, salary, department }
      changes.inserted.push(created)
      return created
    }
    return scope ? changes.keys.once(scope, employee, insert) : insert()
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
