/** A read of a view for the cache. */
export interface Fill {
  what: 'whole' | 'parts'
  /** When it was done: Unix time in seconds. */
  at: number
  seconds: number
}

/** What a process tells of itself for `GET /status`. */
export interface Figures {
  /** None of a process that is gone. */
  redis?: 'ok' | 'away' | 'off'
  /** By the name of the view: answers by their source, and its last read. */
  views: Record<string, { answers: Record<string, number>; fill?: Fill }>
}

/** What several processes tell: the sums of what they have counted, the last read, the worst Redis. */
export function together(all: Figures[]): Figures {
  const sum: Figures = { views: {} }
  for (const { redis, views } of all) {
    if (redis !== undefined && sum.redis !== 'away') sum.redis = redis
    for (const [name, { answers, fill }] of Object.entries(views)) {
      const view = sum.views[name] ?? { answers: {} }
      sum.views[name] = view
      for (const [source, count] of Object.entries(answers))
        view.answers[source] = (view.answers[source] ?? 0) + count
      if (fill && fill.at > (view.fill?.at ?? 0)) view.fill = fill
    }
  }
  return sum
}

/** What stays true of processes that are gone: what they have counted, and read. */
export function lasting(gone: Figures[]): Figures {
  return { views: together(gone).views }
}
