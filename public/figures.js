/** The samples of one metric in Prometheus's text: their labels, and their values. */
function samples(text, metric) {
  const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`))
  return lines.map((line) => {
    const labels = [...line.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
    return {
      ...Object.fromEntries(labels.map(([, name, value]) => [name, value])),
      value: Number(line.slice(line.lastIndexOf(' '))),
    }
  })
}

/**
 * What `/metrics` tells of each cached view. Times are Unix times in seconds, and undefined if there
 * was none yet.
 */
export function viewsOf(text) {
  const answers = samples(text, 'employees_view_answers_total')
  const sampleOf = (view, metric) =>
    samples(text, `employees_view_${metric}`).find((sample) => sample.view === view)
  const of = (view, metric) => sampleOf(view, metric)?.value
  const changes = samples(text, 'employees_view_changed_timestamp_seconds')
  return changes.map(({ view, value: changed }) => {
    const count = (isCounted) =>
      answers
        .filter((answer) => answer.view === view && isCounted(answer))
        .reduce((sum, { value }) => sum + value, 0)
    const isMiss = ({ source }) => ['stored', 'passed', 'parts'].includes(source)
    const fills = of(view, 'fill_seconds_count') ?? 0
    return {
      // No route of this release shows a view of another one.
      path: sampleOf(view, 'info')?.path ?? view,
      changed,
      hits: count((answer) => !isMiss(answer)),
      misses: count(isMiss),
      filled: of(view, 'filled_timestamp_seconds'),
      fillSeconds: fills > 0 ? of(view, 'fill_seconds_sum') / fills : undefined,
    }
  })
}
