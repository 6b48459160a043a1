import { type DestinationStream, destination, type LoggerOptions } from 'pino'
import type { Config } from './config.js'

/** Lines are written together, this much at once, or after this time: a write costs more than a line. */
const BUFFER_BYTES = 4096
const FLUSH_MS = 100

/**
 * Pino's options: readable on a terminal, JSON lines elsewhere. What is buffered is written at the end
 * of the process too, however it ends, unless it is killed.
 */
export function loggerOptions({
  logLevel,
}: Pick<Config, 'logLevel'>): LoggerOptions & { stream?: DestinationStream } {
  if (process.stdout.isTTY) {
    const transport = { target: 'pino-pretty', options: { ignore: 'pid,hostname' } }
    return { level: logLevel, transport }
  }
  return logLevel === 'silent' ? { level: logLevel } : { level: logLevel, stream: standardOutput() }
}

let output: DestinationStream | undefined
function standardOutput(): DestinationStream {
  output ??= destination({
    dest: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_MS,
  })
  return output
}
