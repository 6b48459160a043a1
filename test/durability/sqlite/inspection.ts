import { isDeepStrictEqual } from 'node:util'
import { views } from '../../../drizzle/registry.js'
import type { Employee } from '../../../src/employees/schemas.js'
import { type Drizzle, openSqlite } from '../../../src/store/sqlite/open.js'
import { groupBy } from '../../support/group-by.js'
import { oracles } from '../../support/oracles.js'
import { sqliteShell } from '../../support/shell.js'
import { expectedRows } from '../../support/shown-views.js'
import { shownBy, type WriteStorm } from './write-storm.js'

/** Compares what power cuts have left of a storm with what clients were told until then. */
export class Inspection {
  readonly #storm: WriteStorm
  /** By slot, the number of the newest state that anybody was told of. */
  readonly #told: number[]
  /** What each version of a view stands for. */
  readonly #versions = new Map<string, string>()
  readonly #unheard: Set<string>

  constructor(storm: WriteStorm) {
    this.#storm = storm
    this.#told = storm.slots.map(() => 0)
    this.#unheard = new Set(storm.answers.keys())
  }

  /** The answers that were not heard of. */
  get unheard(): number {
    return this.#unheard.size
  }

  /** From here on what this answer told has to be there. */
  hear(requestId: string): void {
    this.#unheard.delete(requestId)
    for (const { slot, state } of this.#storm.answers.get(requestId) ?? []) {
      this.#told[slot] = Math.max(state, this.#told[slot] ?? 0)
    }
  }

  /** Opens the database as the service does, and says what is wrong with it. */
  async inspect(path: string): Promise<string[]> {
    const changes: string[] = []
    try {
      const database = openSqlite(`file:${path}`, {
        onViewChange: ({ view, what }) => changes.push(`the view ${view} was ${what}`),
      })
      const wrong = await this.#look(database)
      // What is thrown away need not be synced.
      database.$client.pragma('synchronous = OFF')
      database.$client.close()
      const wasThere = this.#told.some((state) => state > 0)
      return wasThere ? [...wrong, ...changes] : wrong
    } catch (error) {
      return [(error as Error).message]
    }
  }

  async #look({ $client: client }: Drizzle): Promise<string[]> {
    const integrity = client.pragma('integrity_check', { simple: true })
    const employees = client.prepare<[], Employee>('SELECT * FROM employees').all()
    const wrong = integrity === 'ok' ? [] : [`integrity_check: ${integrity}`]
    return [...wrong, ...this.#compareSlots(employees), ...(await this.#compareViews(client))]
  }

  #compareSlots(employees: Employee[]): string[] {
    const bySlot = groupBy(employees, (employee) => shownBy(employee).slot)
    const strangers = [...bySlot.keys()].filter((slot) => !this.#storm.slots[slot])
    const wrong = strangers.map((slot) => `nobody wrote ${JSON.stringify(bySlot.get(slot))}`)
    for (const [slot, states] of this.#storm.slots.entries()) {
      const told = this.#told[slot] as number
      const found = bySlot.get(slot) ?? []
      // The state behind it may have been under way.
      const possible = states.slice(told, told + 2)
      if (found.length <= 1 && possible.some((each) => isDeepStrictEqual(each, found[0]))) continue
      wrong.push(`slot ${slot}: ${JSON.stringify(found)} is none of ${JSON.stringify(possible)}`)
    }
    return wrong
  }

  /** Each shows what it must; and a version that once stood for something stands for nothing else. */
  async #compareViews(client: Drizzle['$client']): Promise<string[]> {
    const shell = sqliteShell(client)
    const version = client.prepare<[string], string>(
      'SELECT version FROM view_versions WHERE view = ?',
    )
    const wrong: string[] = []
    for (const view of views) {
      const shown = JSON.stringify(client.prepare(`SELECT * FROM ${view.name}`).all())
      const rows = await (oracles[view.name]?.(shell) ?? expectedRows(shell, view))
      const key = `${view.name} ${version.pluck().get(view.name)}`
      const before = this.#versions.get(key) ?? shown
      this.#versions.set(key, shown)
      if (shown !== JSON.stringify(rows)) wrong.push(`${view.name} shows ${shown}`)
      if (shown !== before) wrong.push(`version ${key} stands for ${before} and ${shown}`)
    }
    return wrong
  }
}
