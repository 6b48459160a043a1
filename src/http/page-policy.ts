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
