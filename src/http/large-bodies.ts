import { Readable } from 'node:stream'
import createError from '@fastify/error'
import { errorCodes } from 'fastify'

/** What any body may have. */
export const USUAL_BODY_BYTES = 64 * 1024

const TooManyBodies = createError(
  'TOO_MANY_BODIES',
  'Too many large bodies are being read already; nothing was changed, try again in a moment',
  503,
)

const SPACE = 0x20
const BRACKET = '['.charCodeAt(0)

/**
 * Lets arrays be larger than other bodies, and bounds how many bodies that are larger than usual are in memory at once: each as a whole, from the
 * first byte beyond to the end of its answer.
 */
export class LargeBodies {
  readonly #most: number
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  /**
   * The same bytes, which count as large once they are more than usual, said beforehand or not. Those of
   * anything but an array must not be.
   *
   * @param onLarge is given what is to be called when the request has been answered
   * @throws {TooManyBodies} by the stream, as {FST_ERR_CTP_BODY_TOO_LARGE}
   */
  counted(body: Readable, onLarge: (leave: () => void) => void): Readable {
    const enter = () => onLarge(this.#enter())
    return Readable.from(
      (async function* () {
        let bytes = 0
        let first: number | undefined
        // An answer can be sent still when it ends early.
        for await (const chunk of body.iterator({ destroyOnReturn: false })) {
          const before = bytes
          bytes += chunk.length
          first ??= (chunk as Buffer).find((byte) => byte > SPACE)
          if (before <= USUAL_BODY_BYTES && bytes > USUAL_BODY_BYTES) {
            if (first !== BRACKET) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
            enter()
          }
          yield chunk
        }
      })(),
      { objectMode: false },
    )
  }

  #enter(): () => void {
    if (this.#count >= this.#most) throw new TooManyBodies()
    this.#count++
    return () => this.#count--
  }
}
