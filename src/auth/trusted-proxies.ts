import { isIP } from 'node:net'

/** False: none; true: all; a number: so many, from the nearest; or those with such addresses. */
export type TrustedProxies = boolean | number | string[]

/**
 * Parses `true`, `false`, a number of hops from 1 to 99, or addresses and networks (CIDR), separated by
 * commas.
 *
 * @throws {Error} that names the bad entry
 */
export function parseProxies(text: string): TrustedProxies {
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  const entries = text.split(',').map((entry) => entry.trim())
  const bad = entries.find((entry) => !isNetwork(entry))
  if (bad === undefined) return entries
  throw new Error(
    `${JSON.stringify(bad)} is not true, false, a number of hops from 1 to 99, an IP address or a network like 10.0.0.0/8`,
  )
}

function isNetwork(entry: string): boolean {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
  const version = isIP(address)
  return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128)
}
