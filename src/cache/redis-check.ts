import { setTimeout as delay } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'
import { connectionOptions } from './redis-connection.js'
import { whyNoTalk } from './redis-handshake.js'
import type { RedisTls } from './redis-tls.js'
import {
  parseRedisUrl,
  type RedisNode,
  type RedisTarget,
  shownNode,
  shownRedisUrl,
} from './redis-url.js'

/** All of it takes no longer than this, since the start waits for it. */
const CHECK_MS = 1000
/** How long one connection, or one answer, is waited for. */
const ANSWER_MS = 300

/** Thrown when what answers is not what REDIS_URL says; the message is one line, without secrets. */
export class UnusableRedis extends Error {
  override name = 'UnusableRedis'
}

/**
 * Finds out whether what answers at REDIS_URL is what that says. Who does not answer is away, which is
 * no error; and what is refused for another reason, like a password, is told when it is used.
 *
 * @throws {UnusableRedis}
 */
export async function assertUsableRedis(url: string, tls: RedisTls): Promise<void> {
  const target = parseRedisUrl(url)
  if (target === undefined) return
  const check = new Check(target, tls)
  const deadline = new AbortController()
  try {
    await Promise.race([check.run(), delay(CHECK_MS, undefined, { signal: deadline.signal })])
  } finally {
    deadline.abort()
  }
}

class Check {
  readonly #target: RedisTarget
  readonly #tls: RedisTls

  constructor(target: RedisTarget, tls: RedisTls) {
    this.#target = target
    this.#tls = tls
  }

  async run(): Promise<void> {
    const { kind, nodes } = this.#target
    if (kind === 'sentinel') await this.#sentinels()
    else if (kind === 'cluster') await this.#cluster()
    else await this.#keeper(nodes[0])
  }

  /** One that keeps values, by itself or as the master of Sentinels. */
  async #keeper(node: RedisNode): Promise<void> {
    const { db } = this.#target
    await this.#ask(node, async (client) => {
      const [, mode] = /^redis_mode:(\w+)/m.exec(await client.info('server')) ?? []
      if (mode === 'sentinel') {
        const form = { kind: 'sentinel', name: 'MASTER-NAME', db } as const
        throw this.#not(node, 'a Redis, but a Sentinel', { ...form, nodes: [node] })
      }
      if (mode === 'cluster') {
        const form = { kind: 'cluster', name: '', db: 0 } as const
        throw this.#not(node, 'a Redis by itself, but of a Cluster', { ...form, nodes: [node] })
      }
      if (db > 0)
        await this.#answer(node, client.select(db), /out of range/, `has no database ${db}`)
    })
  }

  async #sentinels(): Promise<void> {
    const { nodes, name } = this.#target
    const isNone = 'is no Sentinel: name Sentinels, or let the URL begin with redis:// or rediss://'
    const answers = await Promise.all(
      nodes.map((node) =>
        this.#ask(node, async (client) => {
          const asked = client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
          const address = await this.#answer(node, asked, /unknown command/, isNone)
          return { node, address: address as [string, string] | null }
        }),
      ),
    )
    const known = answers.find((answer) => answer?.address)?.address
    const [unknown] = answers.filter((answer) => answer !== undefined)
    if (known) await this.#keeper({ host: known[0], port: Number(known[1]) })
    else if (unknown) {
      throw this.#refusal(
        `the Sentinel ${shownNode(unknown.node)} knows no master of the name ` +
          `${JSON.stringify(name)}: set that of its "sentinel monitor"`,
      )
    }
  }

  async #cluster(): Promise<void> {
    const { nodes, isTls } = this.#target
    const isNone =
      'is of no Cluster: name nodes of one, or let the URL begin with redis:// or rediss://'
    const answers = await Promise.all(
      nodes.map((node) =>
        this.#ask(node, (client) =>
          this.#answer(node, client.cluster('SLOTS'), /support disabled|unknown command/, isNone),
        ),
      ),
    )
    if (!isTls) return
    // What the nodes are called among themselves, where a certificate may not name them.
    const masters = answers.flatMap((slots) => (slots ?? []).map(([, , master]) => master ?? []))
    const others = new Map(masters.map(([host, port]) => [`${host}:${port}`, { host, port }]))
    for (const { host, port } of nodes) others.delete(`${host}:${port}`)
    await Promise.all(
      [...others.values()].map(async ({ host, port }) => {
        if (host && port) await this.#ask({ host, port }, (client) => client.ping())
      }),
    )
  }

  /**
   * @returns undefined if there is no answer
   * @throws {UnusableRedis} by the question, or since nobody can talk with it as the URL says
   */
  async #ask<T>(node: RedisNode, question: (client: Redis) => Promise<T>): Promise<T | undefined> {
    const { kind, nodes, isTls } = this.#target
    const isSentinel = kind === 'sentinel' && nodes.includes(node)
    const { sentinelUsername: username, sentinelPassword: password } = this.#target
    const target = isSentinel ? { ...this.#target, username, password } : this.#target
    const client = new Redis({ ...connectionOptions(target, this.#tls), ...node, ...OPTIONS })
    client.on('error', () => {}) // what is wrong is found out below
    try {
      await client.connect()
      return await question(client)
    } catch (error) {
      if (error instanceof UnusableRedis) throw error
      const why = await whyNoTalk(node, isTls, this.#tls)
      if (why !== undefined) throw this.#refusal(why)
      return undefined
    } finally {
      client.disconnect()
    }
  }

  /** Waits for an answer, of which an error of this kind says that the node is not what it should be. */
  async #answer<T>(node: RedisNode, answer: Promise<T>, error: RegExp, what: string): Promise<T> {
    try {
      return await answer
    } catch (cause) {
      if (!error.test((cause as Error).message)) throw cause
      throw this.#refusal(`${shownNode(node)} ${what}`)
    }
  }

  #not(node: RedisNode, what: string, form: Partial<RedisTarget>): UnusableRedis {
    const url = shownRedisUrl({ ...this.#target, ...form })
    return this.#refusal(`${shownNode(node)} is not ${what}: set ${url}`)
  }

  #refusal(why: string): UnusableRedis {
    return new UnusableRedis(`REDIS_URL=${shownRedisUrl(this.#target)}: ${why}`)
  }
}

const OPTIONS = {
  lazyConnect: true,
  enableReadyCheck: false,
  retryStrategy: null,
  connectTimeout: ANSWER_MS,
  commandTimeout: ANSWER_MS,
} satisfies RedisOptions
