import type { Logger } from 'pino'
import { type Figures, lasting, together } from '../metrics/figures.js'
import { askAll, Telling } from './telling.js'

/** What all processes of a service tell together. */
export interface ServiceFigures extends Figures {
  /** How many of them serve. */
  workers: number
  /** When the first one was started: Unix time in seconds. */
  startedAt: number
}

/** In a worker: a function that asks for the figures of all workers together. */
export function figuresOfAll(own: () => Promise<Figures>): () => Promise<ServiceFigures> {
  return askAll('figures', own)
}

/** In a process that serves alone: its own figures. */
export function figuresOfOne(own: () => Promise<Figures>): () => Promise<ServiceFigures> {
  return async () => ({ ...(await own()), workers: 1, startedAt })
}

/**
 * In the primary: tells the figures of all workers together.
 *
 * @param serving how many workers serve now
 */
export function tellFigures(serving: () => number, log: Logger): void {
  const all = async (told: Figures[]) => ({ ...together(told), workers: serving(), startedAt })
  new Telling<Figures, ServiceFigures>('figures', { lasting, all }, log)
}

/** What is compiled in front of that in the same process is no part of it. */
const startedAt = Date.now() / 1000
