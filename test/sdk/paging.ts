/** The id behind which the next page begins, if there is one: that of the Link header (RFC 8288). */
export function nextPage(headers: Headers): number | undefined {
  const next = /[?&]after=(\d+)[^>]*>; rel="next"/.exec(headers.get('link') ?? '')
  return next?.[1] === undefined ? undefined : Number(next[1])
}
