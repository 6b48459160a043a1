import { isIPv6 } from 'node:net'
import { isLoopback } from './loopback.js'

/** A host and a port, which does not count (RFC 9110, section 7.2): the name, or what is in brackets. */
const HOST = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d*)?$/i

/**
 * Parses host names and IP addresses, separated by commas.
 *
 * @returns them as {@link isAllowedHost} compares them
 * @throws {Error} that names the bad entry
 */
export function parseHosts(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .map((entry) => {
      const name = isIPv6(entry) ? canonical(`[${entry}]`) : canonical(entry)
      if (name !== undefined) return name
      throw new Error(`${JSON.stringify(entry)} is not a host name or an IP address`)
    })
}

/**
 * Whether a request that names this host (of Host, or of an absolute target) is meant for the service:
 * the names of this machine for itself always are. A page whose own name was made to lead here (DNS
 * rebinding) cannot send them.
 */
export function isAllowedHost(allowed: readonly string[], host: string): boolean {
  const name = canonical(host)
  if (name === undefined) return false
  return isLoopback(unbracketed(name)) || name.endsWith('.localhost') || allowed.includes(name)
}

function canonical(host: string): string | undefined {
  const [, address, name] = HOST.exec(host) ?? []
  if (name !== undefined) return name.toLowerCase().replace(/(?<=.)\.$/, '')
  return address !== undefined && isIPv6(address)
    ? new URL(`http://[${address}]`).hostname
    : undefined
}

function unbracketed(name: string): string {
  return name.startsWith('[') ? name.slice(1, -1) : name
}
