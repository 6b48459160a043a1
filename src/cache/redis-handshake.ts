import { connect } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { RedisTls } from './redis-tls.js'
import { type RedisNode, shownNode } from './redis-url.js'

/** How long somebody has to answer. */
const WAIT_MS = 300

/** What Node says of a certificate that it does not accept. */
const UNVERIFIED = /^(?:CERT_|ERR_TLS_CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_|HOSTNAME_)/
/** What a server says that does not accept ours, or is shown none. */
const REFUSED = /ALERT_(?:HANDSHAKE_FAILURE|UNKNOWN_CA|(?:BAD_|NO_|UNSUPPORTED_)?CERTIFICATE)/
/** What comes of TLS with somebody who talks something else. */
const NO_TLS = /^(?:SILENT|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG))$/

/**
 * Why nobody can talk with a node in the way that the URL says, and what to do about it: a certificate
 * that does not verify, TLS where there is none, or none where there must be.
 *
 * @returns undefined if there is another reason, or if nobody is there
 */
export async function whyNoTalk(
  node: RedisNode,
  isTls: boolean,
  tls: RedisTls,
): Promise<string | undefined> {
  const name = shownNode(node)
  if (!isTls) {
    const met = await handshake(node, { rejectUnauthorized: false })
    if (met !== SECURE && !REFUSED.test(met)) return undefined
    return `${name} wants TLS: let the URL begin with rediss instead of redis`
  }
  const met = await handshake(node, { ...tls, rejectUnauthorized: true })
  if (UNVERIFIED.test(met)) {
    return `the certificate of ${name} does not verify: ${remedy(met)} (${met})`
  }
  if (REFUSED.test(met)) {
    return tls.cert
      ? `${name} refuses the certificate in REDIS_TLS_CERT_FILE: set one that it trusts (${met})`
      : `${name} wants a certificate of this service: set REDIS_TLS_CERT_FILE and ` +
          `REDIS_TLS_KEY_FILE (${met})`
  }
  if (NO_TLS.test(met) && (await talksPlainly(node))) {
    return `${name} has no TLS: let the URL begin with redis instead of rediss`
  }
  return undefined
}

function remedy(code: string): string {
  if (code.includes('ALTNAME')) return 'ask it by a name or an address that stands there'
  if (/EXPIRED|NOT_YET/.test(code)) return 'renew it, or put the clock right'
  return 'set REDIS_TLS_CA_FILE to that of who has signed it'
}

const SECURE = 'SECURE'

/**
 * Says nothing once TLS is there: what is wrong with a certificate of ours is heard after that, and not
 * by who writes into a connection that is closed.
 *
 * @returns the code of what went wrong, or that nothing did
 */
function handshake({ host, port }: RedisNode, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    let met = 'SILENT'
    const socket = connectTls({ host, port, ...options })
    const timer = setTimeout(() => socket.destroy(), WAIT_MS)
    socket.on('secureConnect', () => {
      met = SECURE
    })
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      met = code
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(met)
    })
  })
}

function talksPlainly({ host, port }: RedisNode): Promise<boolean> {
  return new Promise((resolve) => {
    let hasAnswered = false
    const socket = connect({ host, port }, () => socket.write('PING\r\n'))
    const timer = setTimeout(() => socket.destroy(), WAIT_MS)
    socket.on('data', (bytes) => {
      hasAnswered = /^[+-]/.test(bytes.toString('latin1'))
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(hasAnswered)
    })
  })
}
