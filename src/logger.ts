import type { LoggerOptions } from 'pino'
import type { Config } from './config.js'

/** Pino's options: readable on a terminal, JSON lines elsewhere. */
export function loggerOptions({ logLevel }: Pick<Config, 'logLevel'>): LoggerOptions {
  return process.stdout.isTTY
    ? { level: logLevel, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } }
    : { level: logLevel }
}
