import { type FileHandle, open } from 'node:fs/promises'
import { extname } from 'node:path'
import type { EmployeeCreate } from '../employees/schemas.js'
import type { ColumnNames } from './columns.js'
import { readCsv } from './csv-rows.js'
import { readNdjson } from './ndjson-rows.js'
import { startProgress } from './progress.js'
import { readEmployee } from './read-employee.js'

/** A row of a file, judged. */
export type Judged = { line: number } & ({ employee: EmployeeCreate } | { faults: string[] })

/** Rows between two looks at the progress. */
const STEP = 1000

const NDJSON = ['.ndjson', '.jsonl']

/** A file of employees, which can be read from its start any number of times. */
export class Source {
  readonly #file: FileHandle
  readonly #size: number
  readonly #isNdjson: boolean
  readonly #names: ColumnNames

  private constructor(file: FileHandle, size: number, isNdjson: boolean, names: ColumnNames) {
    this.#file = file
    this.#size = size
    this.#isNdjson = isNdjson
    this.#names = names
  }

  /** @throws an error that names the file */
  static async open(path: string, names: ColumnNames): Promise<Source> {
    const file = await open(path).catch((error: Error) => {
      throw new Error(`Cannot read ${path}: ${error.message}`, { cause: error })
    })
    const stat = await file.stat()
    if (!stat.isFile()) {
      await file.close()
      throw new Error(`Cannot read ${path}: it is not a regular file, and it must be read twice`)
    }
    const isNdjson = NDJSON.includes(extname(path).toLowerCase())
    return new Source(file, stat.size, isNdjson, names)
  }

  /**
   * Reads the file in constant memory, with its progress on stderr.
   *
   * @throws an error that names the line where the file is not what it should be
   */
  async *rows(label: string): AsyncGenerator<Judged> {
    const bytes = this.#file.createReadStream({ start: 0, autoClose: false })
    const rows = this.#isNdjson ? readNdjson(bytes, this.#names) : readCsv(bytes, this.#names)
    const progress = startProgress(label, this.#size)
    let number = 0
    try {
      for await (const row of rows) {
        if (++number % STEP === 0) progress.update(bytes.bytesRead)
        if ('fault' in row) {
          yield { line: row.line, faults: [row.fault] }
          continue
        }
        const employee = readEmployee(row.fields, number)
        yield Array.isArray(employee)
          ? { line: row.line, faults: employee }
          : { line: row.line, employee }
      }
    } finally {
      progress.stop()
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
