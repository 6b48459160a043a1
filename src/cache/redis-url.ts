/** A place where a Redis, a Sentinel or a node of a Cluster listens. */
export interface RedisNode {
  host: string
  port: number
}

/** What REDIS_URL says. */
export interface RedisTarget {
  kind: 'standalone' | 'sentinel' | 'cluster'
  isTls: boolean
  /** One Redis, or the Sentinels to ask, or the nodes by which a Cluster is found. */
  nodes: [RedisNode, ...RedisNode[]]
  /** The master's name among Sentinels; elsewhere empty. */
  name: string
  db: number
  username: string
  password: string
  /** Of the Sentinels themselves. */
  sentinelUsername: string
  sentinelPassword: string
}

/** What the forms are called in messages and in the help. */
export const REDIS_URL_FORMS =
  'redis://HOST:PORT or rediss://HOST:PORT, redis+sentinel://HOST:PORT,HOST:PORT/MASTER-NAME or ' +
  'redis+cluster://HOST:PORT,HOST:PORT (rediss+ for TLS), where USER:PASSWORD@, percent-encoded, may ' +
  'stand in front of HOST, and /NUMBER at the end, except of a cluster'

const FORM =
  /^(?<redis>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<user>[^/?#]*)@)?(?<hosts>[^/?#@]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/

/** What may stand behind the hosts: a master's name, the number of a database. */
const PATHS = {
  standalone: /^(?<db>\d*)$/,
  sentinel: /^(?<name>[^/]+)(?:\/(?<db>\d*))?$/,
  cluster: /^0?$/,
}

/**
 * Reads a REDIS_URL. It has no options of a client: one could turn off what the service relies on, the
 * verification of certificates or the timeout of commands.
 *
 * @returns undefined if it has none of the forms of {@link REDIS_URL_FORMS}
 */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  const {
    redis,
    kind = 'standalone',
    user = '',
    hosts = '',
    path = '',
    query = '',
  } = FORM.exec(text)?.groups ?? {}
  const form = kind as RedisTarget['kind']
  const place = PATHS[form].exec(path)
  const nodes = hosts.split(',').map((host) => nodeOf(host, form === 'sentinel' ? 26379 : 6379))
  const [first, ...rest] = nodes.filter((node) => node !== undefined)
  if (!redis || !place || !first || rest.length !== nodes.length - 1) return undefined
  if (form === 'standalone' && rest.length > 0) return undefined
  const {
    sentinelUsername = '',
    sentinelPassword = '',
    ...others
  } = Object.fromEntries(new URLSearchParams(query))
  const hasOptions = form === 'sentinel' ? Object.keys(others).length > 0 : query !== ''
  if (hasOptions) return undefined

  const [username = '', ...password] = user.split(':')
  try {
    return {
      kind: form,
      isTls: redis === 'rediss',
      nodes: [first, ...rest],
      name: decodeURIComponent(place.groups?.name ?? ''),
      db: Number(place.groups?.db ?? 0),
      username: decodeURIComponent(username),
      password: decodeURIComponent(password.join(':')),
      sentinelUsername,
      sentinelPassword,
    }
  } catch {
    return undefined // a % that begins no escape
  }
}

/** The URL again, without what may be secret. */
export function shownRedisUrl({ kind, isTls, nodes, name, db }: RedisTarget): string {
  const scheme = `${isTls ? 'rediss' : 'redis'}${kind === 'standalone' ? '' : `+${kind}`}`
  const path = [encodeURIComponent(name), db || ''].filter((part) => part !== '').join('/')
  return `${scheme}://${nodes.map(shownNode).join(',')}${path && `/${path}`}`
}

/** A node as it stands in a URL. */
export function shownNode({ host, port }: RedisNode): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function nodeOf(text: string, defaultPort: number): RedisNode | undefined {
  if (!URL.canParse(`redis://${text}`)) return undefined
  const { hostname, port } = new URL(`redis://${text}`)
  if (hostname === '' || port === '0') return undefined
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || defaultPort }
}
