import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { FaultProxy } from '../support/fault-proxy.js'
import type { RedisServer } from '../support/redis-server.js'

export interface Stage {
  server: RedisServer
  proxy: FaultProxy
  admin: Redis
  /** The length of a phase. */
  phaseMs: number
}

/** What happens to Redis while writers write and readers read; each leaves it whole again. */
export const phases: Record<string, (stage: Stage) => Promise<void>> = {
  calm: ({ phaseMs }) => delay(phaseMs),

  FLUSHALL: async ({ admin, phaseMs }) => {
    for (let i = 0; i < 10; i++) {
      await admin.flushall()
      await delay(phaseMs / 10)
    }
  },

  'killed and restarted empty': async ({ server, phaseMs }) => {
    await server.stop()
    await delay(phaseMs / 2)
    await server.start()
    await delay(phaseMs / 2)
  },

  'back with old data': async ({ server, admin, phaseMs }) => {
    await admin.save()
    await delay(phaseMs / 3)
    await server.stop()
    await delay(phaseMs / 3)
    await server.start()
    await delay(phaseMs / 3)
  },

  'stopped (SIGSTOP)': async ({ server, phaseMs }) => {
    server.signal('SIGSTOP')
    await delay(phaseMs / 2)
    server.signal('SIGCONT')
    await delay(phaseMs / 2)
  },

  'connections reset': async ({ proxy, phaseMs }) => {
    for (let i = 0; i < 10; i++) {
      proxy.reset()
      await delay(phaseMs / 10)
    }
  },

  'black hole': (stage) => withFault(stage, 'blackhole'),
  '50 ms latency': (stage) => withFault(stage, 'delay'),
  'replies lost after execution': (stage) => withFault(stage, 'lose-replies'),
}

async function withFault({ proxy, phaseMs }: Stage, fault: FaultProxy['fault']): Promise<void> {
  proxy.fault = fault
  await delay(phaseMs / 2)
  proxy.fault = 'none'
  await delay(phaseMs / 2)
}
