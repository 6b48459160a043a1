import { Counter, Gauge, type Registry } from 'prom-client'
import type { GuestRedis } from '../cache/guest-redis.js'

/** Shows how the configured Redis is doing. */
export function watchRedis(
  register: Registry,
  isUp: () => boolean,
  figures: GuestRedis['figures'],
): void {
  const registers = [register]
  new Gauge({
    name: 'employees_redis_up',
    help: 'Whether the configured Redis is used now: 1 or 0; of several workers the worst',
    registers,
    aggregator: 'min',
    collect() {
      this.set(isUp() ? 1 : 0)
    },
  })
  new Counter({
    name: 'employees_redis_failures_total',
    help: 'Commands to Redis that failed, by reason; while it is away none is sent',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      this.inc({ reason: 'timeout' }, figures.timeouts)
      this.inc({ reason: 'error' }, figures.errors)
    },
  })
  new Counter({
    name: 'employees_redis_changes_total',
    help: 'How often Redis came (here) and went (away)',
    labelNames: ['to'],
    registers,
    collect() {
      this.reset()
      this.inc({ to: 'here' }, figures.here)
      this.inc({ to: 'away' }, figures.away)
    },
  })
}
