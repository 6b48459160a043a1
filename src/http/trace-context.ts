import type { IncomingMessage } from 'node:http'

/** The place of a request in a trace, as a line of the log says it. */
export interface TraceFields {
  /** 32 hexadecimal digits. */
  'trace.id': string
  /** 16 hexadecimal digits. */
  'span.id': string
}

/** What a client says of its span. */
export interface TraceContext {
  traceId: string
  spanId: string
  isSampled: boolean
}

/** A version that is not known yet may have more behind what this one has. */
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?!0{32})(?<traceId>[0-9a-f]{32})-(?!0{16})(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<more>-.*)?$/

/**
 * What the client says in `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header), if that is
 * as it must be.
 */
export function traceContextOf({ headers: { traceparent } }: Asked): TraceContext | undefined {
  if (typeof traceparent !== 'string') return undefined
  const { version, traceId, spanId, flags, more } = TRACEPARENT.exec(traceparent)?.groups ?? {}
  if (!traceId || !spanId || (version === '00' && more)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(`${flags}`, 16) & 1) === 1 }
}

/** Of requests that have a span of their own. */
const spans = new WeakMap<Asked, TraceFields>()

/** Says which span a request has here. */
export function setTraceFields(request: Asked, fields: TraceFields): void {
  spans.set(request, fields)
}

/** The span of a request, or else that of its client, if it says one. */
export function traceFields(request: Asked): TraceFields | undefined {
  const own = spans.get(request)
  if (own) return own
  const context = traceContextOf(request)
  return context && { 'trace.id': context.traceId, 'span.id': context.spanId }
}

type Asked = Pick<IncomingMessage, 'headers'>
