import { hash } from 'node:crypto'

/**
 * The Content-Security-Policy of pages (https://www.w3.org/TR/CSP3/): all that they load is here, and
 * nothing is inline. No upgrade-insecure-requests: they are also served over plain HTTP.
 */
export const PAGE_POLICY = {
  'default-src': "'self'",
  'img-src': "'self' data:",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/** The headers of a page, or of what belongs to one, under an entity tag of its content. */
export const pageHeaders = (content: Buffer | string) => ({
  'cache-control': 'no-cache',
  'content-security-policy': POLICY,
  etag: `"${hash('sha256', content, 'base64url')}"`,
})

const POLICY = Object.entries(PAGE_POLICY)
  .map((directive) => directive.join(' '))
  .join('; ')
