/** A write that waits, and how many rows it writes. */
export interface Waiting {
  rows: number
}

/** Writes that wait for their transaction, in the order of their arrival. What they come to is counted in rows. */
export class WriteQueue<Write extends Waiting> {
  #writes: Write[] = []
  #rows = 0

  /** Of all that wait. */
  get rows(): number {
    return this.#rows
  }

  get first(): Write | undefined {
    return this.#writes[0]
  }

  push(write: Write): void {
    this.#writes.push(write)
    this.#rows += write.rows
  }

  /**
   * Takes from the front what comes to no more than so many rows, and one in any case.
   *
   * @param ends says which write is not to be among them, unless it is the first
   */
  take(rows: number, ends: (write: Write) => boolean = () => false): Write[] {
    let sum = 0
    const end = this.#writes.findIndex((write, index) => {
      sum += write.rows
      return index > 0 && (sum > rows || ends(write))
    })
    return this.#taken(this.#writes.splice(0, end < 0 ? this.#writes.length : end))
  }

  /** Takes, from wherever they wait, those of which something holds. */
  takeWhere(holds: (write: Write) => boolean): Write[] {
    const taken = this.#writes.filter(holds)
    this.#writes = this.#writes.filter((write) => !holds(write))
    return this.#taken(taken)
  }

  takeAll(): Write[] {
    return this.take(Number.POSITIVE_INFINITY)
  }

  #taken(writes: Write[]): Write[] {
    for (const { rows } of writes) this.#rows -= rows
    return writes
  }
}
