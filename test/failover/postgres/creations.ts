/** What was created under names that are there once, and what its clients were told. */
export class Creations {
  acknowledged = 0
  readonly #told = new Map<string, 'nothing' | 'done' | 'not done'>()

  /** A creation begins: its name, and what to call when it was acknowledged, or refused with nothing done. */
  begin(): { name: string; acknowledged: () => void; refused: () => void } {
    const name = `created ${this.#told.size}`
    this.#told.set(name, 'nothing')
    return {
      name,
      acknowledged: () => {
        this.acknowledged++
        this.#told.set(name, 'done')
      },
      refused: () => this.#told.set(name, 'not done'),
    }
  }

  /** What is wrong, given all names that are there in the end. */
  judge(names: string[]): string[] {
    const counts = new Map<string, number>()
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
    return [...this.#told].flatMap(([name, told]) => {
      const count = counts.get(name) ?? 0
      if (told === 'done' && count !== 1)
        return `${name} was acknowledged, and is there ${count} times`
      if (told === 'not done' && count > 0) return `${name} was answered as not done, and is there`
      return count > 1 ? `${name} is there ${count} times` : []
    })
  }
}
