/** The cursor of the next page, if there is one: that of the Link header (RFC 8288). */
export function nextPage(headers: Headers): string | undefined {
  const next = /[?&]after=([^&>]+)[^>]*>; rel="next"/.exec(headers.get('link') ?? '')
  return next?.[1] === undefined ? undefined : decodeURIComponent(next[1])
}
