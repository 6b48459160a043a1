/** How far back charts go, in seconds. */
export const WINDOW = 300

/** What became of answers: kept in a process or in Redis, made of an older one and what has changed, or read as a whole. */
const SOURCES = {
  hits: ['not_modified', 'near', 'redis', 'collapsed'],
  parts: ['parts'],
  whole: ['stored', 'passed'],
}

/** How many answers had which outcome, by what `/status` counts by source. */
export function outcomesOf(answers) {
  const outcomes = Object.entries(SOURCES).map(([outcome, sources]) => [
    outcome,
    sources.reduce((sum, source) => sum + answers[source], 0),
  ])
  return Object.fromEntries(outcomes)
}

/** The share of answers that were hits, 0 to 1; undefined if there were none. */
export function hitRatio({ hits, parts, whole }) {
  const all = hits + parts + whole
  return all > 0 ? hits / all : undefined
}

/** Answers of `/status`, as far back as charts go. What a service has counted before it was started anew is over. */
export class History {
  #statuses = []

  /** Takes one, unless it is there already: the service makes one each second, and no more. */
  add(status) {
    const last = this.#statuses.at(-1)
    if (last?.at === status.at) return
    if (last?.startedAt !== status.startedAt) this.#statuses = []
    this.#statuses.push(status)
    const oldest = seconds(status.at) - WINDOW
    // One from before stays: what is counted since begins with it.
    while (this.#statuses.length > 2 && seconds(this.#statuses[1].at) <= oldest)
      this.#statuses.shift()
  }

  /**
   * Each time between two answers, the earliest first: when it ended, in seconds before the last one; how long
   * it was; and the answers of a view in it, by outcome.
   */
  spans(name) {
    const now = seconds(this.#statuses.at(-1)?.at)
    return this.#statuses.slice(1).map((status, i) => {
      const before = this.#statuses[i]
      const [from, to] = [answersOf(before, name), answersOf(status, name)]
      const outcomes = Object.fromEntries(
        Object.entries(to).map(([outcome, count]) => [outcome, count - (from[outcome] ?? 0)]),
      )
      const end = seconds(status.at)
      return { ago: now - end, length: end - seconds(before.at), ...outcomes }
    })
  }
}

/** The spans of so many seconds, which ended between so many ago, as one; undefined if there are none. */
export function joined(spans, from, to) {
  const within = spans.filter(({ ago }) => ago >= from && ago < to)
  if (within.length === 0) return undefined
  const sum = { length: 0, hits: 0, parts: 0, whole: 0 }
  for (const span of within) for (const key of Object.keys(sum)) sum[key] += span[key]
  return sum
}

/** Answers per second. */
export function rate({ hits, parts, whole, length }) {
  return (hits + parts + whole) / length
}

function answersOf({ views }, name) {
  const view = views.find((view) => view.name === name)
  return view ? outcomesOf(view.answers) : {}
}

function seconds(time) {
  return Date.parse(time) / 1000
}
