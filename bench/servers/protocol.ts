import type { OutgoingHttpHeaders } from 'node:http'

/** An answer that the bare servers give byte for byte as the service did. */
export interface Recorded {
  path: string
  headers: OutgoingHttpHeaders
  body: Buffer
}

/** What a server process is started as. */
export type ServerOptions =
  | { kind: 'fastify'; answers: Recorded[] }
  | { kind: 'pool' | 'fastify-caching'; databaseUrl: string }
  | { kind: 'bentocache'; databaseUrl: string; redisUrl: string }
  | {
      kind: 'service'
      databaseUrl: string
      redisUrl?: string | undefined
      /** With the access log, which is on by default, or without it. */
      logLevel?: 'info' | 'warn'
    }

/** A server that listens, and what it can be asked beside the questions that all can. */
export interface Started {
  url: string
  questions?: Answers
}

export type Answers = { [Q in keyof Questions]?: (...args: never[]) => unknown }

/**
 * Which levels of its cache the service may use: all; only what it finds in Redis (or the store in its
 * place); or none, so that every request is a miss.
 */
export type Levels = 'near' | 'redis' | 'none'

/** What can be asked of a server process while it serves. */
export interface Questions {
  /** User and system time of all its threads so far, in microseconds. */
  cpu(): number
  /** Its memory now, in bytes, with garbage collected before. */
  rss(): number
  /** The most memory it had since it was asked last, in bytes. */
  peak(): number
  use(levels: Levels): void
  /** Remembers the employees as they are now, */
  keep(): void
  /** and puts them back. */
  restore(): void
  /** Reads a view so many times; the median in milliseconds. */
  fill(view: string, times: number): number
  /** Reads the ranking by a window over the table, on SQLite; the median in milliseconds. */
  window(times: number): number
}
