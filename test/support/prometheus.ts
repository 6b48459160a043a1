/** The samples of a text in Prometheus's format: `name{label="value"}` and their numbers. */
export function samplesOf(exposition: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of exposition.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const space = line.lastIndexOf(' ')
    samples.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return samples
}
