import Negotiator from 'negotiator'

/** Whether a client would rather have JSON than a page (RFC 9110, section 12.5.1); people say nothing of JSON. */
export function prefersJson(accept = '*/*'): boolean {
  const negotiator = new Negotiator({ headers: { accept } })
  return negotiator.mediaType(['text/html', 'application/json']) === 'application/json'
}
