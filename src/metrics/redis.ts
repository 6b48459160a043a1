import { Counter, Gauge, type Registry } from 'prom-client'

/** How often Redis came and went, commands that failed, and entries that are not the service's. */
export interface RedisStats {
  here: number
  away: number
  timeouts: number
  errors: number
  forged: number
}

/** Shows how the configured Redis is doing. */
export function watchRedis(register: Registry, isUp: () => boolean, stats: () => RedisStats): void {
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
    'Commands to Redis that failed, by reason (timeout, error), and entries that were read there ' +
      'and not written by this service (forged); while it is away none is sent',
    'reason',
    ({ timeouts, errors, forged }) => ({ timeout: timeouts, error: errors, forged }),
  )
  counter(
    'employees_redis_changes_total',
    'How often Redis came (here) and went (away)',
    'to',
    ({ here, away }) => ({ here, away }),
  )

  function counter(
    name: string,
    help: string,
    label: string,
    read: (stats: RedisStats) => Record<string, number>,
  ) {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset()
        for (const [value, count] of Object.entries(read(stats()))) {
          this.inc({ [label]: value }, count)
        }
      },
    })
  }
}
