import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'

/** Reads the version of a view from the database: at once, or where that is far away, in time. */
export type Probe = (view: string) => string | Promise<string>

interface Shared {
  version: string | Promise<string>
  /** The batch of events in which the probe began. */
  batch: number
}

/**
 * Shares probes of a view's version among requests, which is right as long as every one of them was
 * sent before the probe began: then the probe's moment lies within the time of each, and none misses a
 * write that was acknowledged before it was sent.
 *
 * A request that arrived before a probe may use it, plainly. But so may most that arrive behind it: in
 * its poll phase the event loop asks the kernel which sockets have bytes to read, and is given a batch
 * of them. Those bytes were there, hence sent, before the first request of the batch was even parsed.
 * So a probe that a request of this batch made is good for the others of the batch, except
 * - for a request behind another one on the same socket, in the same batch or in the middle of whose
 *   body the batch began: the bytes that were waiting may have been the other one's alone;
 * - for a request of a later batch. libuv polls again within one phase when a batch is full (1024
 *   events), so phases are not enough to tell; but it counts the events of a batch once they are
 *   handled, so that the count tells batches apart.
 *
 * A probe from between two batches (a timer, an immediate) bears the count of the one to come, whose
 * bytes may be sent after it, and is therefore not shared.
 */
export class SharedProbe {
  readonly #probe: Probe
  readonly #batch: () => number
  readonly #shared = new Map<string, Shared>()
  #forgetting = false

  /** @param batch what tells the batches of events apart, and grows; for tests */
  constructor(probe: Probe, batch: () => number = handledEvents) {
    this.#probe = probe
    this.#batch = batch
  }

  /** To be called for each request, as soon as it has been parsed. */
  arrived(request: Arrival): void {
    const { socket, headers } = request
    const batch = this.#batch()
    const isBehindAnother = socket[LAST] === batch || socket[HAD_BODY] === true
    socket[LAST] = batch
    socket[HAD_BODY] = 'content-length' in headers || 'transfer-encoding' in headers
    request[ARRIVED] = batch
    request[SHARES_FROM] = isBehindAnother ? batch + 1 : batch
  }

  /** The version of a view, at a moment within the time of this request. */
  version(view: string, request: Arrival): string | Promise<string> {
    const shared = this.#shared.get(view)
    const from = request[SHARES_FROM] ?? Number.POSITIVE_INFINITY
    if (shared !== undefined && shared.batch >= from) return shared.version

    const version = this.#probe(view)
    const batch = this.#batch()
    if (request[ARRIVED] === batch) this.#share(view, { version, batch })
    return version
  }

  /** Shares no probe that was made so far: something was committed. */
  forget(): void {
    this.#shared.clear()
  }

  #share(view: string, shared: Shared): void {
    this.#shared.set(view, shared)
    if (this.#forgetting) return
    // The check phase follows the poll phase: should the count ever stand still, a probe is still not
    // used for longer than that.
    this.#forgetting = true
    setImmediate(() => {
      this.#forgetting = false
      this.forget()
    })
  }
}

const LAST = Symbol('the batch in which the last request of this socket arrived')
const HAD_BODY = Symbol('whether that request announced a body')
const ARRIVED = Symbol('the batch in which this request arrived')
const SHARES_FROM = Symbol('the first batch whose probes are good for this request')

/** A request; one that did not come over a socket of ours has no marks, and shares nothing. */
export type Arrival = Pick<IncomingMessage, 'headers'> & {
  socket: object & { [LAST]?: number; [HAD_BODY]?: boolean }
  [ARRIVED]?: number
  [SHARES_FROM]?: number
}

/**
 * How many events the event loop of this thread has handled (libuv's uv_metrics_info). It grows behind
 * each batch. Where Node does not tell, it is a number that nothing equals: then nothing is shared.
 */
function handledEvents(): number {
  return performance.nodeTiming.uvMetricsInfo?.events ?? Number.NaN
}
