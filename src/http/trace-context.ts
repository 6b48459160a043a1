import type { IncomingMessage } from 'node:http'

/** The place of a request in a trace, as a line of the log says it. */
export interface TraceFields {
  /** 32 hexadecimal digits. */
  'trace.id': string
  /** That of the client's span: 16 hexadecimal digits. */
  'span.id': string
}

/** A version that is not known yet may have more behind what this one has. */
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?!0{32})(?<traceId>[0-9a-f]{32})-(?!0{16})(?<spanId>[0-9a-f]{16})-[0-9a-f]{2}(?<more>-.*)?$/

/**
 * What the client says in `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header), if that is
 * as it must be.
 */
export function traceFields({
  headers: { traceparent },
}: Pick<IncomingMessage, 'headers'>): TraceFields | undefined {
  if (typeof traceparent !== 'string') return undefined
  const { version, traceId, spanId, more } = TRACEPARENT.exec(traceparent)?.groups ?? {}
  if (!traceId || !spanId || (version === '00' && more)) return undefined
  return { 'trace.id': traceId, 'span.id': spanId }
}
