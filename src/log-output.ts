import { type DestinationStream, destination } from 'pino'

const LIMITS = {
  /** Lines go on together, so many characters of them, ... */
  blockLength: 8192,
  /** ... or after so many milliseconds. */
  waitMs: 100,
  /** What may wait in this process while nobody reads, in bytes: lines beyond that are lost. */
  maxBytes: 16 * 1024 * 1024,
}

/**
 * Where lines of the log go, for Pino. What waits is written at the end of the process too, however it ends,
 * unless it is killed.
 *
 * SonicBoom, which does the writing, would also make blocks (`minLength`), but measures all that it has anew
 * for each line: a third of what a line costs.
 */
export class LogOutput implements DestinationStream {
  readonly #output: ReturnType<typeof destination>
  readonly #blockLength: number
  #lines = ''
  #lost = 0

  /**
   * @param fd of a file, a pipe or a socket
   * @param sayLost is told, when somebody reads again, how many lines were lost meanwhile
   */
  constructor(fd: number, sayLost: (lines: number) => void, limits: Partial<typeof LIMITS> = {}) {
    const { blockLength, waitMs, maxBytes } = { ...LIMITS, ...limits }
    this.#blockLength = blockLength
    this.#output = destination({ dest: fd, sync: false, maxLength: maxBytes })
    this.#output.on('drop', (block: string) => {
      this.#lost += block.split('\n').length - 1
    })
    this.#output.on('drain', () => {
      const lost = this.#lost
      this.#lost = 0
      if (lost > 0) sayLost(lost)
    })
    setInterval(() => this.#handOn(), waitMs).unref()
    // In front of Pino, which then writes what it has.
    for (const end of ['beforeExit', 'exit']) process.prependListener(end, () => this.#handOn())
  }

  write(line: string): void {
    this.#lines += line
    if (this.#lines.length >= this.#blockLength) this.#handOn()
  }

  /** Pino asks for this behind what is fatal. */
  flushSync(): void {
    this.#handOn()
    this.#output.flushSync()
  }

  #handOn(): void {
    if (this.#lines === '') return
    const lines = this.#lines
    this.#lines = ''
    this.#output.write(lines)
  }
}
