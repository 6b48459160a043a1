import { Command, type Redis } from 'ioredis'

/** What CLUSTER SLOTS says of a range. */
type Range = [first: number, last: number, master: [host: string, port: number]]

const FIRST_KEYS = 100

/** The slot of a key. */
export function slotOf(key: string): number {
  return new Command('get', [key]).getSlot()
}

/** The slots that a master has. */
export async function slotsOf(master: Redis): Promise<number[]> {
  const ranges = (await master.cluster('SLOTS')) as unknown as Range[]
  return ranges
    .filter(([, , [, port]]) => port === master.options.port)
    .flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, n) => first + n))
}

/** Of these masters the one that has a slot, and another one. */
export async function ownerOf(slot: number, masters: Redis[]): Promise<[Redis, Redis]> {
  for (const [index, master] of masters.entries()) {
    const other = masters[(index + 1) % masters.length]
    if (other && (await slotsOf(master)).includes(slot)) return [master, other]
  }
  throw new Error(`Nobody has slot ${slot}`)
}

/** Slots on their way from one master of a cluster to another, as `redis-cli --cluster reshard` moves them. */
export class SlotMove {
  readonly from: Redis
  readonly to: Redis
  readonly #all: Redis[]
  readonly #slots: number[]

  /** @param all the masters */
  constructor(slots: number[], from: Redis, to: Redis, all: Redis[]) {
    this.#slots = slots
    this.from = from
    this.to = to
    this.#all = all
  }

  /** From now on the old place sends who asks for a key that is not there to the new one (ASK). */
  async open(): Promise<void> {
    const [from, to] = await Promise.all([this.from, this.to].map((node) => node.cluster('MYID')))
    await this.#set(this.to, 'IMPORTING', from as string)
    await this.#set(this.from, 'MIGRATING', to as string)
  }

  /** Moves what is still at the old place. */
  async moveKeys(): Promise<void> {
    for (const slot of this.#slots) {
      for (;;) {
        const keys = await this.from.cluster('GETKEYSINSLOT', slot, FIRST_KEYS)
        if (keys.length === 0) break
        const { port } = this.to.options
        await this.from.call('MIGRATE', '127.0.0.1', `${port}`, '', '0', '5000', 'KEYS', ...keys)
      }
    }
  }

  /** From now on all but the new place send everybody there (MOVED). */
  async close(): Promise<void> {
    const id = (await this.to.cluster('MYID')) as string
    for (const node of new Set([this.to, this.from, ...this.#all]))
      await this.#set(node, 'NODE', id)
  }

  async #set(node: Redis, state: 'IMPORTING' | 'MIGRATING' | 'NODE', id: string): Promise<void> {
    await Promise.all(
      this.#slots.map((slot) => node.call('CLUSTER', 'SETSLOT', `${slot}`, state, id)),
    )
  }
}

/** How often a node has answered with this error. */
export async function errorsOf(node: Redis, error: 'ASK' | 'MOVED'): Promise<number> {
  const [, count] =
    new RegExp(`errorstat_${error}:count=(\\d+)`).exec(await node.info('errorstats')) ?? []
  return Number(count ?? 0)
}
