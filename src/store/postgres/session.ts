import { Connection, type ConnectionOptions } from './connection.js'
import { ConnectionLost } from './errors.js'
import type { Host } from './hosts.js'
import type { Proof } from './proof.js'
import { assertDurable } from './suitable.js'

/** How long a server may take to answer what is answered at once, in milliseconds. */
const ANSWER_MS = 2000
/**
 * How long anything waits for a lock: shorter than its answer may take, since the server does not notice
 * while it waits that a connection was given up, and each would leave a process there.
 */
export const LOCK_TIMEOUT_MS = 1000
/**
 * Of a connection that is only read from, also for a snapshot, which waits for each of its statements no
 * longer. What was not answered in time the server cancels soon after, since it does not notice that the
 * connection was given up: each try would leave a process there that works for nobody.
 */
export const READING = {
  patienceMs: ANSWER_MS,
  statementTimeoutMs: ANSWER_MS + 500,
  lockTimeoutMs: LOCK_TIMEOUT_MS,
} satisfies ConnectionOptions
/** How long a process that stands still may keep the writers' lock. */
export const IDLE_IN_TRANSACTION_MS = 5000

/**
 * The connections of this process to the server that it takes for the primary. When one of them fails, all
 * of them go: what the server is must be found out anew.
 */
export class Session {
  readonly host: Host
  /** Of the versions of views. */
  readonly probe: Connection
  /** Of employees and pages. */
  readonly reader: Connection
  /** Of one transaction of writes at a time. */
  readonly writer: Connection
  readonly proof: Proof
  /** Resolves when it is given up. */
  readonly lost: Promise<Error>
  readonly #connections: Connection[]
  #lose: (error: Error) => void = () => {}
  #isLost = false

  private constructor(
    host: Host,
    [probe, reader, writer]: [Connection, Connection, Connection],
    beats: Connection,
    proof: Proof,
  ) {
    this.host = host
    this.probe = probe
    this.reader = reader
    this.writer = writer
    this.proof = proof
    this.lost = new Promise((resolve) => (this.#lose = resolve))
    this.#connections = [probe, reader, writer, beats]
    for (const { lost } of this.#connections) lost.then((error) => this.lose(error))
    this.lost.then(() => {
      this.#isLost = true
      proof.close()
      for (const each of this.#connections) each.destroy()
    })
  }

  /**
   * @param beats a connection on which the host has shown that it is the primary
   * @param proof of what is read from it
   */
  static async open(host: Host, beats: Connection, proof: Proof): Promise<Session> {
    const opening = [
      Connection.open(host, READING),
      Connection.open(host, { ...READING, isSeeking: true }),
      Connection.open(host, {
        patienceMs: ANSWER_MS,
        lockTimeoutMs: LOCK_TIMEOUT_MS,
        idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
      }),
    ] as const
    try {
      const connections = await Promise.all(opening)
      await assertDurable(connections[2])
      return new Session(host, [...connections], beats, proof)
    } catch (error) {
      for (const each of opening) each.then((connection) => connection.destroy()).catch(() => {})
      throw error
    }
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** Gives it up. */
  lose(error: Error): void {
    this.#isLost = true
    this.#lose(error)
  }

  /** In order. */
  async close(): Promise<void> {
    this.proof.close()
    await Promise.all(this.#connections.map((each) => each.end()))
    this.lose(new ConnectionLost('the service closes'))
  }
}
