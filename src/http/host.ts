import type { IncomingMessage } from 'node:http'

/** An absolute target, which proxies are asked for, and its authority (RFC 9112, section 3.2.2). */
const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i

type Request = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'url'>

/** The hosts that a request says it is for: that of its target, if it has one, and that of Host. */
export function hostsOf({ headers, url = '' }: Request): string[] {
  const authority = url.startsWith('/') ? undefined : ABSOLUTE.exec(url)?.[1]
  return [authority, headers.host].filter((host) => host !== undefined)
}

/** Whether Host is there more than once: whoever stands in front may have read another one than Node. */
export function hasTwoHosts({ rawHeaders }: Request): boolean {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1
}
