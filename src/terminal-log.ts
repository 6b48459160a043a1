import { type DestinationStream, destination } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { RequestLine } from './http/request-line.js'

/** Writes Pino's lines for people: one for each, but for the stack of an error. */
export function terminal(output: DestinationStream = destination(1)): DestinationStream {
  const pretty = prettyFactory({ ignore: 'pid,hostname', singleLine: true })
  return { write: (line) => output.write(pretty(shown(JSON.parse(line)))) }
}

type Line = { level: number; time: number; err?: unknown } & Partial<RequestLine>

/** What tells of the answer to a request as one sentence. */
function shown(line: Line): object {
  const { level, time, err, 'http.response.status_code': status } = line
  if (status === undefined) return line
  return { level, time, err, msg: sentence(line) }
}

function sentence(line: Partial<RequestLine>): string {
  const { 'event.duration': nanoseconds, cacheSource: source } = line
  const words = [
    line['http.request.method'],
    line['url.path'] ?? line['http.route'],
    line['http.response.status_code'],
    nanoseconds !== undefined && `${(nanoseconds / 1e6).toFixed(2)} ms`,
    source && `${HITS.has(source) ? 'hit' : 'miss'} (${source})`,
    line['user.name'] && `by ${line['user.name']}`,
    line['client.ip'] && `from ${line['client.ip']}`,
    line['error.type'],
    line['error.message'],
  ]
  return words.filter(Boolean).join(' ')
}

/** Of the sources of a cached view: those for which nothing of it was read from the database. */
const HITS = new Set(['near', 'redis', 'not_modified'])
