import { basename, extname } from 'node:path'

/** How a file holds its rows, which its name says. */
export interface Format {
  isNdjson: boolean
  isGzip: boolean
}

const NDJSON = ['.ndjson', '.jsonl']
const KNOWN = ['.csv', ...NDJSON]

/** @throws an error that says what to do with a file of another format */
export function formatOf(path: string): Format {
  const isGzip = extname(path).toLowerCase() === '.gz'
  const extension = extname(isGzip ? basename(path).slice(0, -'.gz'.length) : path).toLowerCase()
  if (extension === '.json') {
    const how = "jq -c '.[]' FILE.json > FILE.ndjson"
    throw new Error(`Cannot read ${path}: an array must become a line for each row first: ${how}`)
  }
  if (!KNOWN.includes(extension)) {
    const known = `${KNOWN.join(', ')}, nor one of these and .gz`
    throw new Error(`Cannot read ${path}: its name does not end in ${known}`)
  }
  return { isNdjson: NDJSON.includes(extension), isGzip }
}
