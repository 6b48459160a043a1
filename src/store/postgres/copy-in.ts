import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { type CopyStreamQuery, from } from 'pg-copy-streams'
import type { Connection } from './connection.js'

/** What is sent at once, in characters. */
const CHUNK = 64 * 1024

/** What means something else in the text format of COPY. */
const SPECIAL = /[\\\n\r\t]/g
const ESCAPED: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Rows that go into a table by COPY, in its text format, in bounded memory.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export class CopyIn {
  readonly #stream: CopyStreamQuery
  readonly #failed: Promise<never>
  #text = ''

  /**
   * @param connection on which queries wait for those before them
   * @param target a table and its columns
   * @param told what an error means to whoever copies
   */
  constructor(connection: Connection, target: string, told: (error: unknown) => unknown) {
    this.#stream = connection.client.query(from(`COPY ${target} FROM STDIN`))
    this.#failed = new Promise((_, reject) => {
      this.#stream.on('error', (error) => reject(told(connection.explained(error))))
      // The stream of a connection that is no more waits for ever.
      connection.lost.then((error) => reject(told(error)))
    })
    this.#failed.catch(() => {})
  }

  /** Takes a row; gives a promise where the next one must wait for it. */
  add(values: readonly (string | number)[]): Promise<void> | undefined {
    const fields = values.map((value) => (typeof value === 'string' ? escaped(value) : value))
    this.#text += `${fields.join('\t')}\n`
    return this.#text.length < CHUNK ? undefined : this.#send()
  }

  /** @throws an error of whichever row */
  async end(): Promise<void> {
    await this.#send()
    const finished = once(this.#stream, 'finish')
    this.#stream.end()
    await Promise.race([finished, this.#failed])
  }

  async #send(): Promise<void> {
    const hasRoom = this.#stream.write(this.#text)
    this.#text = ''
    // In any case a turn of the event loop, in which a signal is heard.
    const sent = hasRoom ? setImmediate() : once(this.#stream, 'drain')
    await Promise.race([sent, this.#failed])
  }
}

function escaped(text: string): string {
  return text.replace(SPECIAL, (character) => ESCAPED[character] as string)
}
