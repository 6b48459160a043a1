import { pipeline, type Readable } from 'node:stream'
import { type CsvError, Parser } from 'csv-parse'
import { Utf8 } from '../http/utf8.js'
import { type ColumnNames, type Columns, findColumns } from './columns.js'
import { type Fields, MAX_ROW_LENGTH, type Row } from './rows.js'

const LINE_BREAK = /\r\n|\r|\n/g

const SYNTAX: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted value of this row is never closed',
  CSV_MAX_RECORD_SIZE: `longer than ${MAX_ROW_LENGTH} characters; perhaps a quote is not closed`,
  CSV_INVALID_CLOSING_QUOTE: 'text behind a closing quote; inside quotes a quote is written twice',
  INVALID_OPENING_QUOTE: 'a quote inside a value without quotes around it',
}

/**
 * Reads CSV (RFC 4180) with a header. A row's line is the one it begins on; empty lines count as
 * lines, not as rows.
 *
 * @throws an error that names the line, when this is not CSV, and the errors of {@link findColumns}
 */
export async function* readCsv(bytes: Readable, names: ColumnNames): AsyncGenerator<Row> {
  const parser = new LineParser()
  let header: string[] | undefined
  let columns: Columns | undefined
  try {
    const records: AsyncIterable<CsvRecord> = pipeline(bytes, new Utf8(), parser, () => {})
    for await (const { line, values } of records) {
      if (values.length === 1 && values[0] === '') continue
      if (!header || !columns) {
        header = values
        columns = findColumns(header, names)
      } else if (values.length !== header.length) {
        const fault = `it must have ${header.length} values as the header has, got ${values.length}`
        yield { line, fault }
      } else {
        yield { line, fields: pick(values, columns) }
      }
    }
  } catch (error) {
    const syntax = SYNTAX[(error as CsvError).code ?? '']
    throw syntax ? new Error(`line ${parser.line}: ${syntax}`, { cause: error }) : error
  }
}

function pick(values: string[], { name, salary, department }: Columns): Fields {
  const fields = { salary: values[salary], department: values[department] }
  return name === undefined ? fields : { ...fields, name: values[name] }
}

interface CsvRecord {
  line: number
  values: string[]
}

/**
 * Gives records with the line they begin on. The parser's own count takes a CRLF inside quotes for
 * two lines, and of a quote that is not closed it names the end of the file.
 */
class LineParser extends Parser {
  /** Where the record begins that is being parsed. */
  line = 1

  constructor() {
    super({
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      max_record_size: MAX_ROW_LENGTH,
    })
  }

  // The parser's `on_record` would do, at twice the time for the whole parsing.
  override push(values: string[] | null): boolean {
    if (values === null) return super.push(null)
    const record: CsvRecord = { line: this.line, values }
    this.line++
    for (const value of values) this.line += lineBreaks(value)
    return super.push(record)
  }
}

function lineBreaks(text: string): number {
  return text.includes('\n') || text.includes('\r') ? (text.match(LINE_BREAK)?.length ?? 0) : 0
}
