import type { FastifyBaseLogger, RawRequestDefaultExpression } from 'fastify'
import type { Bindings, ChildLoggerOptions } from 'fastify/types/logger.js'
import { traceFields } from './trace-context.js'

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/**
 * Gives each request a logger whose lines bear its id and that of its trace, and makes it when the first line is written: most
 * requests write none but that of the access log.
 */
export function lazyChildLogger(
  logger: FastifyBaseLogger,
  bindings: Bindings,
  options: ChildLoggerOptions,
  request: RawRequestDefaultExpression,
): FastifyBaseLogger {
  const make = () => logger.child({ ...bindings, ...traceFields(request) }, options)
  return new LazyLogger(make) as unknown as FastifyBaseLogger
}

class LazyLogger {
  readonly #make: () => FastifyBaseLogger
  #made: FastifyBaseLogger | undefined

  constructor(make: () => FastifyBaseLogger) {
    this.#make = make
  }

  get logger(): FastifyBaseLogger {
    this.#made ??= this.#make()
    return this.#made
  }

  get level(): string {
    return this.logger.level
  }

  set level(level: string) {
    this.logger.level = level
  }

  child(...args: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.logger.child(...args)
  }
}

for (const level of LEVELS) {
  Object.defineProperty(LazyLogger.prototype, level, {
    value(this: LazyLogger, ...line: Parameters<FastifyBaseLogger['info']>) {
      this.logger[level](...line)
    },
  })
}
