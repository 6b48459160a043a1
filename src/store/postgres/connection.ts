import { Client, type ClientConfig, DatabaseError, type QueryResult, types } from 'pg'
import { ConnectionLost } from './errors.js'
import type { Host } from './hosts.js'

const { INT8 } = types.builtins

/** Ids are numbers: the tables keep them below 2^53. */
const TYPES = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8
      ? Number
      : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
}

/** What a session of the service is to the server, beside what its URL says. */
const SETTINGS = [
  // Compiling costs a fill more than it saves: 6.6 ms where 2.1 do.
  'jit=off',
  // Rows of a cursor are read to their end.
  'cursor_tuple_fraction=1',
  'default_transaction_isolation=read\\ committed',
  'extra_float_digits=1',
]

/**
 * Of one whose statements are prepared, and read by an index in its order: whatever the values, so each is
 * planned once. An unknown LIMIT counts as a tenth of all, for which sorting would look cheaper.
 */
const SEEKING = ['plan_cache_mode=force_generic_plan', 'enable_sort=off']

/** What the driver says of a query that was not answered in time, and of those behind it. */
const OF_CONNECTIONS = /^(?:Query read timeout|Connection terminated|Client (?:has|was) )/

/** How long an end in order may take, in milliseconds. */
const END_MS = 500

export interface ConnectionOptions {
  /** How long the server may take to answer a query, in milliseconds, before the connection is given up. */
  patienceMs?: number
  /** How long the server works at a statement before it cancels it, in milliseconds; as long as it takes if left out. */
  statementTimeoutMs?: number
  /** How long a statement waits for a lock, in milliseconds. */
  lockTimeoutMs?: number
  /** How long the server lets a transaction wait for its next statement, in milliseconds. */
  idleInTransactionMs?: number
  /** Whether its statements read by an index, in its order. */
  isSeeking?: boolean
  /** Of queries one behind the other, each in its time: COPY needs that. */
  isPlain?: boolean
}

/**
 * A connection to a server, on which queries are sent without waiting for those before them. What fails
 * for the connection fails with {@link ConnectionLost}, for all who wait.
 */
export class Connection {
  readonly #client: Client
  /** Resolves when it is no more. */
  readonly lost: Promise<ConnectionLost>
  #isLost = false
  #unconfirmed = false

  private constructor(client: Client) {
    this.#client = client
    this.lost = new Promise((resolve) => {
      const end = (reason: string) => {
        this.#isLost = true
        resolve(new ConnectionLost(reason))
      }
      client.on('error', (error) => end(reasonOf(error)))
      client.on('end', () => end('the connection ended'))
    })
    // A commit that a standby has not confirmed is a success with this warning; RAISE has it, too.
    client.on('notice', ({ code, routine }) => {
      if (code === '01000' && routine !== 'exec_stmt_raise') this.#unconfirmed = true
    })
  }

  /** @throws what the server or the system says */
  static async open(
    { config }: Host,
    given: ConnectionOptions = {},
    connectMs = 2000,
  ): Promise<Connection> {
    const { patienceMs, statementTimeoutMs = 0, lockTimeoutMs, idleInTransactionMs } = given
    const { options = '' } = config
    // Behind those of the URL, and said even where it is none: one of theirs, or of the role, would cancel
    // a write, a beat or a commit that waits for its standby.
    const settings = [
      ...SETTINGS,
      ...(given.isSeeking ? SEEKING : []),
      `statement_timeout=${statementTimeoutMs}`,
    ]
    const client = new Client({
      application_name: 'employees',
      ...config,
      options: `${options} ${settings.map((setting) => `-c ${setting}`).join(' ')}`.trim(),
      types: TYPES,
      pipeline: !given.isPlain,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: connectMs,
      ...(patienceMs !== undefined && { query_timeout: patienceMs }),
      ...(lockTimeoutMs !== undefined && { lock_timeout: lockTimeoutMs }),
      ...(idleInTransactionMs !== undefined && {
        idle_in_transaction_session_timeout: idleInTransactionMs,
      }),
    } satisfies ClientConfig)
    const connection = new Connection(client)
    await client.connect()
    return connection
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /**
   * @param name of a statement that is prepared once
   * @throws {ConnectionLost} and errors of the server
   */
  async query<Row extends object>(
    text: string,
    values: unknown[] = [],
    name?: string,
  ): Promise<QueryResult<Row>> {
    try {
      return await this.#client.query<Row>({ text, values, ...(name !== undefined && { name }) })
    } catch (error) {
      throw this.explained(error)
    }
  }

  /** As {@link query}, each row as an array. */
  async rows(text: string, values: unknown[], name: string): Promise<unknown[][]> {
    try {
      const query = { text, values, name, rowMode: 'array' as const }
      return (await this.#client.query<unknown[]>(query)).rows
    } catch (error) {
      throw this.explained(error)
    }
  }

  /** Whether the server has warned, since this was asked last, that a commit was not confirmed. */
  takeUnconfirmed(): boolean {
    const was = this.#unconfirmed
    this.#unconfirmed = false
    return was
  }

  /** For libraries that have a protocol of their own. */
  get client(): Client {
    return this.#client
  }

  /** At once, whatever is under way. */
  destroy(): void {
    if (this.#isLost) return
    this.#isLost = true
    // Else it would wait for what hangs.
    const { stream } = (this.#client as unknown as { connection: { stream: { destroy(): void } } })
      .connection
    this.#client.end().catch(() => {})
    stream.destroy()
  }

  /** In order: what is under way is answered, and the server is told. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.destroy(), END_MS)
    await this.#client.end().catch(() => {})
    clearTimeout(timer)
    this.#isLost = true
  }

  /** What an error of the driver means for whoever uses this connection. */
  explained(error: unknown): unknown {
    if (error instanceof DatabaseError) return withoutRows(error)
    const { code, message } = error as NodeJS.ErrnoException
    return this.#isLost || code !== undefined || OF_CONNECTIONS.test(message)
      ? new ConnectionLost(reasonOf(error))
      : error
  }
}

/** An error without what PostgreSQL says of the row that it is about: it comes into the log. */
function withoutRows(error: DatabaseError): DatabaseError {
  for (const field of ['detail', 'where', 'internalQuery'] as const) delete error[field]
  return error
}

/** Why a connection is no more, in words that fit into a sentence. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (message === 'Query read timeout') return 'no answer in time'
  if (message.startsWith('Connection terminated')) return 'the connection ended'
  return code ?? message
}
