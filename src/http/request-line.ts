/**
 * What a line of the log says of a request, and of its answer: fields of the Elastic Common Schema, and
 * `cacheSource`, which it has no field for (nor for `http.route`, which is OpenTelemetry's).
 */
export interface RequestLine {
  'http.request.id': string | undefined
  'http.request.method': string
  /** Without the query, which may say a name. */
  'url.path': string
  /** Where the path is not to be told: its pattern. */
  'http.route': string | undefined
  'http.response.status_code': number
  /** Nanoseconds. */
  'event.duration': number
  /** The name of the key. */
  'user.name': string | undefined
  'client.ip': string
  /** Where the answer of a cached view comes from. */
  cacheSource: string | undefined
  /** Of a problem: its kind, and of what fields. */
  'error.type': string | undefined
  'error.message': string | undefined
  'trace.id': string | undefined
  'span.id': string | undefined
}

/** A path is told up to here: a client may send one of 16 KiB. */
const MAX_PATH_LENGTH = 256

/** The path of a URL, without its query. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  return path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path
}
