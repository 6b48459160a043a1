import { setTimeout as delay } from 'node:timers/promises'
import type { Faker } from '@faker-js/faker'
import type { Employee, EmployeeCreate } from '../../../src/employees/schemas.js'
import { shownViews } from '../../support/shown-views.js'

const WRITERS = 8
const READ_EVERY_MS = 50

/** That somebody was told what had become of an employee. */
export interface Shown {
  slot: number
  /** Its number among the states of the slot. */
  state: number
}

/**
 * Creates, changes and deletes employees, and reads the cached views meanwhile. Each employee has a
 * slot, and its name says which, and how often that has changed: whoever sees a row knows when it was
 * written.
 */
export class WriteStorm {
  /** All that each slot has held, from the beginning; undefined: nobody. */
  readonly slots: (Employee | undefined)[][]
  /** By the id of the request, what its answer acknowledged, or showed. */
  readonly answers = new Map<string, Shown[]>()
  writes = 0
  readonly #random: Faker

  /** @param employees who are there already, each in the slot that its name says; a few slots are free */
  constructor(random: Faker, employees: Employee[], slots: number) {
    this.#random = random
    this.slots = Array.from({ length: slots }, () => [undefined])
    for (const employee of employees) this.slots[shownBy(employee).slot] = [employee]
  }

  /** Writes until it is told that this is enough. */
  async run(url: string, isEnough: () => boolean): Promise<void> {
    const end = new AbortController()
    const reading = this.#readViews(url, end.signal)
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      this.#write(url, writer, isEnough),
    )
    await Promise.all(writers).finally(() => end.abort())
    await reading
  }

  async #write(url: string, writer: number, isEnough: () => boolean): Promise<void> {
    const { helpers, datatype } = this.#random
    const mine = [...this.slots.keys()].filter((slot) => slot % WRITERS === writer)
    while (!isEnough()) {
      const slot = helpers.arrayElement(mine)
      const states = this.slots[slot] as (Employee | undefined)[]
      const shown = { slot, state: states.length }
      const current = states.at(-1)
      const path = current ? `/employees/${current.id}` : '/employees'
      const isEnd = current && datatype.boolean(0.2)
      const method = isEnd ? 'DELETE' : current ? 'PUT' : 'POST'
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: isEnd ? {} : { 'content-type': 'application/json' },
        body: isEnd ? null : JSON.stringify(randomEmployee(this.#random, shown, 105_000)),
      })
      const employee = await this.#told<Employee>(answer, () => [shown])
      states.push(isEnd ? undefined : employee)
      this.writes++
    }
  }

  async #readViews(url: string, end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      for (const { path } of shownViews) await this.look(`${url}${path}`)
      await delay(READ_EVERY_MS)
    }
  }

  /** Reads some employees: what was shown must be there as well. Returns the id of the request. */
  async look(url: string): Promise<string> {
    const answer = await fetch(url)
    await this.#told<Employee[]>(answer, (employees) => employees.map(shownBy))
    return idOf(answer)
  }

  async #told<Body>(answer: Response, shown: (body: Body) => Shown[]): Promise<Body> {
    const body = (await answer.json()) as Body
    if (!answer.ok) throw new Error(`${answer.url} gave ${answer.status}: ${JSON.stringify(body)}`)
    this.answers.set(idOf(answer), shown(body))
    return body
  }
}

/** Somebody in a slot; mostly with a long name, so that few rows fill a page and the log grows fast. */
export function randomEmployee(
  { number, helpers }: Faker,
  { slot, state }: Shown,
  maxSalary: number,
): EmployeeCreate {
  return {
    name: `${slot}/${state} ${'名'.repeat(number.int({ max: 85 }))}`.trim(),
    salary: number.int({ max: maxSalary }),
    department: helpers.arrayElement(['Sales', 'Engineering', '部'.repeat(80), '门'.repeat(100)]),
  }
}

/** In which slot an employee stands, and in what state. */
export function shownBy({ name }: { name: string }): Shown {
  const [slot = Number.NaN, state = Number.NaN] = name.split(/[/ ]/).map(Number)
  return { slot, state }
}

function idOf(answer: Response): string {
  return answer.headers.get('x-request-id') ?? ''
}
