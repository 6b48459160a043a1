import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { EmployeeCreate } from '../employees/schemas.js'
import type { ColumnNames } from './columns.js'
import { readCsv } from './csv-rows.js'
import { type Format, formatOf } from './format.js'
import { readNdjson } from './ndjson-rows.js'
import { startProgress } from './progress.js'
import { readEmployee } from './read-employee.js'
import type { Row } from './rows.js'
import { trim } from './spaces.js'

/** A row of a file, judged; `trimmed` says how many of its values had spaces around them. */
export type Judged = { line: number } & (
  | { employee: EmployeeCreate; trimmed: number }
  | { faults: string[] }
)

export interface SourceOptions extends ColumnNames {
  /** Names and departments as they stand in the file, with the spaces around them. */
  keepSpaces?: boolean
}

/** Rows between two looks at the progress. */
const STEP = 1000

/** A file of employees, which can be read from its start any number of times. */
export class Source {
  readonly path: string
  readonly #file: FileHandle
  readonly #size: number
  readonly #format: Format
  readonly #options: SourceOptions

  private constructor(
    path: string,
    file: FileHandle,
    size: number,
    format: Format,
    options: SourceOptions,
  ) {
    this.path = path
    this.#file = file
    this.#size = size
    this.#format = format
    this.#options = options
  }

  /** @throws an error that names the file */
  static async open(path: string, options: SourceOptions): Promise<Source> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      const what = `name a file that is there and that you may read (${error.code})`
      throw new Error(`Cannot read ${resolve(path)}: ${what}`, { cause: error })
    })
    try {
      const stat = await file.stat()
      if (!stat.isFile()) {
        throw new Error(`Cannot read ${path}: it is not a regular file, and it must be read twice`)
      }
      return new Source(path, file, stat.size, formatOf(path), options)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * Reads the file in constant memory, with its progress on stderr.
   *
   * @throws an error that names the line where the file is not what it should be
   */
  async *rows(label: string): AsyncGenerator<Judged> {
    const bytes = this.#file.createReadStream({ start: 0, autoClose: false })
    const progress = startProgress(label, this.#size)
    let number = 0
    try {
      for await (const row of this.#parse(bytes)) {
        if (++number % STEP === 0) progress.update(bytes.bytesRead)
        yield this.#judge(row, number)
      }
    } catch (error) {
      const isGzipError = (error as NodeJS.ErrnoException).code?.startsWith('Z_')
      throw isGzipError ? this.#damaged(error as Error) : error
    } finally {
      progress.stop()
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  #parse(bytes: Readable): AsyncGenerator<Row> {
    const { isNdjson, isGzip } = this.#format
    const text = isGzip ? pipeline(bytes, createGunzip(), () => {}) : bytes
    return isNdjson ? readNdjson(text, this.#options) : readCsv(text, this.#options)
  }

  #judge(row: Row, number: number): Judged {
    const { line } = row
    if ('fault' in row) return { line, faults: [row.fault] }
    const trimmed = this.#options.keepSpaces ? 0 : trim(row.fields)
    const employee = readEmployee(row.fields, number)
    return Array.isArray(employee) ? { line, faults: employee } : { line, employee, trimmed }
  }

  #damaged(error: Error): Error {
    const what = 'it is no gzip file, or cut off, or damaged'
    return new Error(`Cannot read ${this.path}: ${what} (${error.message})`, { cause: error })
  }
}
