import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** What a process did to the files of one directory, and what it told its clients. */
export type Event =
  | { kind: 'write'; file: string; offset: number; data: Buffer }
  | { kind: 'truncate'; file: string; size: number }
  | { kind: 'create'; file: string }
  | { kind: 'remove'; file: string }
  /** It has returned: of this file the events before `since` are durable. "." is the directory itself. */
  | { kind: 'sync'; file: string; since: number }
  /** The head of an answer with a status of 2xx, by the id that the client saw in it. */
  | { kind: 'answer'; requestId: string }

/** The id of the process, and a call that begins, or the rest of one that another line has begun. */
const LINE = /^(\d+) +(?:<\.\.\. \w+ resumed>|(\w+)\()/
const RESULT = /\) += (-?\d+)/
const FILE = /<((?:\\x[0-9a-f]{2})+)>/
const ANSWER = /^HTTP\/1\.1 2.*\r\nx-request-id: (\S+)/s
/** Enough of an answer for its first two lines. */
const HEAD_CHARACTERS = 4 * 200

type Finish = (result: number) => void

/**
 * Reads a trace (see support/strace.ts) as one sequence. Whatever harms counts from the moment when its
 * call began: a write, which a power cut may leave half done, and an answer, which may have left. A sync
 * counts when it has returned, and for what was begun before it.
 *
 * Threads and processes are traced one stop at a time: what one of them did because another had done
 * something comes behind that.
 *
 * @param directory without links in it, since strace shows none
 */
export async function readTrace(path: string, directory: string): Promise<Event[]> {
  const reader = new TraceReader(directory)
  const input = createReadStream(path, { encoding: 'latin1', highWaterMark: 1024 * 1024 })
  for await (const line of createInterface({ input })) reader.read(line)
  return reader.events
}

export class TraceReader {
  readonly events: Event[] = []
  readonly #directory: string
  /** By the id of the thread: what is to be done when its call returns. */
  readonly #unfinished = new Map<string, Finish | undefined>()

  constructor(directory: string) {
    this.#directory = directory
  }

  read(line: string): void {
    const [, thread, call] = LINE.exec(line) ?? []
    if (!thread) return
    const finish = call ? this.#begin(call, line) : this.#unfinished.get(thread)
    const [, result] = RESULT.exec(line) ?? []
    if (result === undefined) this.#unfinished.set(thread, finish)
    else finish?.(Number(result))
  }

  #begin(call: string, line: string): Finish | undefined {
    if (call === 'openat' || call === 'unlink' || call === 'unlinkat') return this.#name(call, line)
    const file = this.#fileIn(textOf(FILE.exec(line)?.[1]))
    if (file === undefined) return this.#answer(line)
    if (call === 'pwrite64') return this.#write(file, line)
    if (call === 'ftruncate') return this.#truncate(file, line)
    if (call === 'fsync' || call === 'fdatasync') return this.#sync(file)
    throw new Error(`The model knows no ${call} to ${file}`)
  }

  #write(file: string, line: string): Finish {
    const data = Buffer.from(quotedIn(line).replaceAll('\\x', ''), 'hex')
    const [, size, offset] = /", (\d+), (\d+)/.exec(line) ?? []
    this.events.push({ kind: 'write', file, offset: Number(offset), data })
    return (result) => {
      if (result === data.length && result === Number(size)) return
      throw new Error(`The model knows no write of ${result} of ${size} bytes to ${file}`)
    }
  }

  #truncate(file: string, line: string): Finish {
    const [, size] = />, (\d+)/.exec(line) ?? []
    this.events.push({ kind: 'truncate', file, size: Number(size) })
    return (result) => {
      if (result !== 0) throw new Error(`The model knows no truncation of ${file} that fails`)
    }
  }

  #sync(file: string): Finish {
    const since = this.events.length
    return (result) => {
      if (result === 0) this.events.push({ kind: 'sync', file, since })
    }
  }

  #name(call: string, line: string): Finish | undefined {
    const file = this.#fileIn(textOf(quotedIn(line)))
    if (file === undefined) return undefined
    if (call === 'openat') {
      if (!line.includes('O_CREAT')) return undefined
      return (result) => {
        if (result >= 0) this.events.push({ kind: 'create', file })
      }
    }
    this.events.push({ kind: 'remove', file })
    return undefined
  }

  #answer(line: string): undefined {
    const head = textOf(quotedIn(line).slice(0, HEAD_CHARACTERS))
    const [, requestId] = ANSWER.exec(head) ?? []
    if (requestId) this.events.push({ kind: 'answer', requestId })
  }

  /** The index that processes share through memory is not there: SQLite makes it anew after a crash. */
  #fileIn(path: string): string | undefined {
    if (path === this.#directory) return '.'
    if (!path.startsWith(`${this.#directory}/`) || path.endsWith('-shm')) return undefined
    return path.slice(this.#directory.length + 1)
  }
}

/** The first string of a line, as it is written there. */
function quotedIn(line: string): string {
  const start = line.indexOf('"') + 1
  return line.slice(start, line.indexOf('"', start))
}

function textOf(escaped = ''): string {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex').toString()
}
