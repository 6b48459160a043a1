import createError from '@fastify/error'
import { errorCodes } from 'fastify'
import { ConcurrencyLimit } from './concurrency-limit.js'

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
 * Lets arrays be larger than other bodies, and bounds how many bodies that are larger than usual are in memory
 * at once, of all clients and of each: from the first byte beyond to the end of its answer.
 */
export class LargeBodies {
  readonly #most: number
  readonly #clients: ConcurrencyLimit
  #count = 0

  constructor(most: number, ofAClient: number) {
    this.#most = most
    this.#clients = new ConcurrencyLimit(ofAClient, TooManyBodies)
  }

  /**
   * What is to be told of each piece of a body. It counts as large once it is more than usual, said beforehand
   * or not; anything but an array must not be.
   *
   * @param onLarge is given what is to be called when the request has been answered
   * @throws {TooManyBodies} when it is told, and {FST_ERR_CTP_BODY_TOO_LARGE}
   */
  watch(client: string, onLarge: (leave: () => void) => void) {
    let first: number | undefined
    let isLarge = false
    return (bytes: number, piece: Buffer): void => {
      first ??= piece.find((byte) => byte > SPACE)
      if (isLarge || bytes <= USUAL_BODY_BYTES) return
      if (first !== BRACKET) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
      isLarge = true
      onLarge(this.#enter(client))
    }
  }

  #enter(client: string): () => void {
    if (this.#count >= this.#most) throw new TooManyBodies()
    const leave = this.#clients.enter(client)
    this.#count++
    return () => {
      this.#count--
      leave()
    }
  }
}
