import { Counter, Gauge, type Registry } from 'prom-client'

/** How often Redis came and went, and commands that failed. */
export interface RedisStats {
  here: number
  away: number
  timeouts: number
  errors: number
}

/** Shows how the configured Redis is doing. */
export function watchRedis(register: Registry, isUp: () => boolean, stats: RedisStats): void {
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
  counter(
    'employees_redis_failures_total',
    'Commands to Redis that failed, by reason; while it is away none is sent',
    'reason',
    () => ({ timeout: stats.timeouts, error: stats.errors }),
  )
  counter(
    'employees_redis_changes_total',
    'How often Redis came (here) and went (away)',
    'to',
    () => ({ here: stats.here, away: stats.away }),
  )

  function counter(name: string, help: string, label: string, read: () => Record<string, number>) {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset()
        for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count)
      },
    })
  }
}
