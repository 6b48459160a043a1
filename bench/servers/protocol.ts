import type { OutgoingHttpHeaders } from 'node:http'

/** An answer that the bare servers give byte for byte as the service did. */
export interface Recorded {
  path: string
  headers: OutgoingHttpHeaders
  body: Buffer
}

/** What a server process is started as. */
export type ServerOptions =
  | { kind: 'node' | 'fastify'; answers: Recorded[] }
  | {
      kind: 'service'
      databaseUrl: string
      redisUrl?: string | undefined
      /** With the access log, which is on by default, or without it. */
      logLevel?: 'info' | 'warn'
    }

/**
 * Which of its copies of a view the service may use: all; only what it finds in Redis (or the store in
 * its place); or none, so that every request is a miss.
 */
export type Copies = 'near' | 'redis' | 'none'

/** What can be asked of a server process while it serves. */
export interface Questions {
  /** User and system time of all its threads so far, in microseconds. */
  cpu(): number
  /** Its memory now, in bytes, with garbage collected before. */
  rss(): number
  /** The most memory it had since it was asked last, in bytes. */
  peak(): number
  use(copies: Copies): void
  /** Remembers the employees as they are now, */
  keep(): void
  /** and puts them back. */
  restore(): void
  /** Reads a view so many times; the median in milliseconds. */
  fill(view: string, times: number): number
}
