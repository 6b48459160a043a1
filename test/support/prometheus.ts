/**
 * The samples of a text in Prometheus's format: `name{label="value"}` and their numbers.
 *
 * @throws for one that is there twice: Prometheus would refuse the whole text
 */
export function samplesOf(exposition: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of exposition.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const space = line.lastIndexOf(' ')
    if (samples.has(line.slice(0, space))) throw new Error(`There are two of ${line}`)
    samples.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return samples
}
