import { hostname } from 'node:os'
import { type DestinationStream, type LoggerOptions, pino } from 'pino'
import type { Config } from './config.js'
import { LogOutput } from './log-output.js'
import { terminal } from './terminal-log.js'

/**
 * Pino's options: readable on a terminal, JSON lines elsewhere, whose fields are those of the Elastic Common
 * Schema (https://www.elastic.co/docs/reference/ecs), which Loki knows the level of, too.
 *
 * Not by @elastic/ecs-pino-format, which copies each line's fields, and so doubles what a line costs.
 */
export function loggerOptions({
  logLevel: level,
  serviceName,
}: Pick<Config, 'logLevel' | 'serviceName'>): LoggerOptions & { stream?: DestinationStream } {
  if (level === 'silent') return { level }
  if (process.stdout.isTTY) return { level, stream: terminal() }
  const base = { ...BASE, 'service.name': serviceName }
  const options = { level, ...ECS, base }
  return { ...options, stream: standardOutput(options) }
}

const BASE = { 'process.pid': process.pid, 'host.name': hostname(), 'ecs.version': '8.17.0' }

const ECS: LoggerOptions = {
  messageKey: 'message',
  timestamp: timestampOf(),
  formatters: {
    level: (label) => ({ 'log.level': label }),
    log: (fields) => (fields.err instanceof Error ? withError(fields, fields.err) : fields),
  },
}

/** No other property of an error: the database's may hold a row. */
function withError({ err: _, ...fields }: Record<string, unknown>, error: Error) {
  const { type, message, stack } = pino.stdSerializers.err(error)
  return { ...fields, 'error.type': type, 'error.message': message, 'error.stack_trace': stack }
}

/** Written once for all lines of a millisecond. */
function timestampOf(): () => string {
  let last = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== last) {
      last = now
      text = `,"@timestamp":"${new Date(now).toISOString()}"`
    }
    return text
  }
}

let output: LogOutput | undefined
/** Of the process, whoever logs. */
function standardOutput(options: LoggerOptions): LogOutput {
  output ??= new LogOutput(1, (lines) => {
    pino(options, output).warn({ lines }, 'lines of the log were lost: nobody read them')
  })
  return output
}
