import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Thrown when the service cannot listen; the message is one line that says where, and what to do. */
export class CannotListen extends Error {
  override name = 'CannotListen'
}

interface Place {
  host: string
  port: number
}

/**
 * The address that HOST names. Listening to the name, Fastify would open a second server for one that
 * has two, which knows no limits.
 *
 * @throws {CannotListen}
 */
export async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address
  } catch (error) {
    throw new CannotListen(
      `HOST=${host} is a name that has no address (${codeOf(error)}): set 127.0.0.1 to listen to this ` +
        'machine only, or another address of it',
      { cause: error },
    )
  }
}

/**
 * Listens as the service will, and stops again.
 *
 * @throws {CannotListen}
 */
export async function assertCanListen(place: Place): Promise<void> {
  const host = await addressOf(place.host)
  const server = createServer()
  await listening(place, async () => {
    server.listen({ host, port: place.port })
    await once(server, 'listening')
  })
  server.close()
  await once(server, 'close')
}

/**
 * Runs what begins to listen.
 *
 * @throws {CannotListen}
 */
export async function listening(place: Place, begin: () => Promise<unknown>): Promise<void> {
  try {
    await begin()
  } catch (error) {
    throw explained(error, place)
  }
}

function explained(error: unknown, { host, port }: Place): unknown {
  const code = codeOf(error)
  const options = { cause: error }
  switch (code) {
    case 'EADDRINUSE':
      return new CannotListen(
        `PORT=${port} is in use at ${host}: end what listens there, or set another PORT (${code})`,
        options,
      )
    case 'EADDRNOTAVAIL':
      return new CannotListen(
        `HOST=${host} is no address of this machine: set one that is, 127.0.0.1 to listen to this ` +
          `machine only (${code})`,
        options,
      )
    case 'EACCES':
      return new CannotListen(
        `PORT=${port} is not for this user: set one from 1024 on (${code})`,
        options,
      )
    default:
      return error
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
