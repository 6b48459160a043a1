import { createHistogram } from 'node:perf_hooks'
import autocannon, { type Client, type Result } from 'autocannon'
import type { Load } from '../loads.js'
import type { Target } from '../servers/process.js'

/** What a server did under a load. */
export interface Measured {
  perSecond: number
  /** CPU time of the server's process for each request, in microseconds. */
  cpu: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Of one answer in its connection, head and body, where all are about as long. */
  bytes?: number | undefined
}

/**
 * Puts a server under a load.
 *
 * @throws if it answered anything else than expected: then the figures mean nothing
 */
export async function measure(
  server: Target,
  { requests, connections, expected, rate }: Load,
  seconds: number,
): Promise<Measured> {
  // It looks for its end only when it takes a sample.
  const sampleInt = 1000 * Math.min(1, seconds / 2)
  const times = createHistogram({ figures: 3 })
  const before = await server.cpu()
  const result = await new Promise<Result>((resolve, reject) => {
    const options = {
      url: server.url,
      connections,
      requests,
      duration: seconds,
      sampleInt,
      setupClient: dropBodies,
      ...(rate !== undefined && { overallRate: rate }),
    }
    autocannon(options, (error, result) => (error ? reject(error) : resolve(result))).on(
      'response',
      (_client, _status, _bytes, ms) => times.record(Math.ceil(ms * 1e6) || 1),
    )
  })
  const after = await server.cpu()

  const counts = Object.entries(result.statusCodeStats ?? {})
  const wrong = counts.filter(([status]) => !expected.includes(Number(status)))
  // On a slow machine a moment is soon over; who never answers is an error after 10 seconds.
  if (wrong.length === 0 && result.errors === 0 && times.count === 0) {
    return measure(server, { requests, connections, expected, ...(rate && { rate }) }, 2 * seconds)
  }
  if (wrong.length > 0 || result.errors > 0) {
    throw new Error(
      `${requests[0]?.method ?? 'GET'} ${requests[0]?.path}: ${result.errors} errors, and answers ` +
        `${JSON.stringify(result.statusCodeStats)} where ${expected} was expected`,
    )
  }
  return {
    perSecond: times.count / result.duration,
    cpu: (after - before) / times.count,
    p50: times.percentile(50) / 1e6,
    p99: times.percentile(99) / 1e6,
  }
}

/**
 * Autocannon makes a text of each body. Of a compressed one, which is no UTF-8, that takes several times as long
 * as to send it, so that the server would be measured while it waits.
 */
function dropBodies(client: Client): void {
  const { pipelinedRequests } = client as Client & { pipelinedRequests: { addBody: () => void } }
  pipelinedRequests.addBody = () => {}
}
