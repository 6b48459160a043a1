import cluster from 'node:cluster'
import fp from 'fastify-plugin'
import { views } from '../drizzle/registry.js'
import type { Figures, Fill } from '../src/metrics/figures.js'
import { type Found, Sparing } from '../src/metrics/sparing.js'
import type { ViewAge } from '../src/store/store.js'
import { figuresOfAll, figuresOfOne, type ServiceFigures } from '../src/workers/figures.js'
import { shownView } from './view-reply.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** How the service is doing: of all its workers, at most a second ago and never older than a write of this one. */
    status: () => Promise<ServiceStatus>
  }
}

export interface ServiceStatus extends Pick<ServiceFigures, 'workers' | 'startedAt'> {
  at: Date
  redis: 'ok' | 'away' | 'off'
  database: 'ok' | 'away'
  employees: Found<number> | undefined
  views: ViewStatus[]
}

/** A cached view of this release, and what is known of it. */
interface ViewStatus {
  name: string
  path: string
  age: ViewAge | undefined
  answers: Record<string, number>
  fill: Fill | undefined
}

const KEPT_MS = 1000
/** How long an answer waits for the employees to be counted: of a million SQLite knows it at once, PostgreSQL in less. */
const COUNT_MS = 250

/** Decorates `fastify.status`. Whoever asks for it, and however many do, costs next to nothing. */
export default fp(
  async function statusPlugin(fastify) {
    const { employees, metrics, redisState } = fastify
    const own = async (): Promise<Figures> => ({
      redis: redisState(),
      views: await metrics.figures(),
    })
    const figures = cluster.isWorker ? figuresOfAll(own) : figuresOfOne(own)
    const count = new Sparing(async () => {
      const everybody = { by: 'id' as const, isDescending: false, departments: [] }
      const page = await employees.sortedPage({ ...everybody, limit: 1, isCounted: true })
      return page.total ?? 0
    })

    const paths = new Map<string, string>()
    fastify.addHook('onRoute', (route) => {
      const view = shownView(route)
      if (view) paths.set(view.name, route.url)
    })

    let kept: Promise<ServiceStatus> | undefined
    let until = 0
    fastify.decorate('status', () => {
      if (!kept || performance.now() >= until) {
        until = performance.now() + KEPT_MS
        const begun = look()
        kept = begun
        // What failed is not said again.
        begun.catch(forget)
      }
      return kept
    })
    employees.onCommit(forget)

    function forget(): void {
      kept = undefined
    }

    async function look(): Promise<ServiceStatus> {
      const at = new Date()
      const [{ redis = 'off', workers, startedAt, views: told }, ages, counted] = await Promise.all(
        [figures(), unlessAway(fastify.views.ages()), count.get(COUNT_MS)],
      )
      return {
        at,
        workers,
        startedAt,
        redis,
        database: ages ? 'ok' : 'away',
        employees: counted,
        views: views.map(({ name }) => ({
          name,
          path: paths.get(name) ?? '',
          age: ages?.find(({ view }) => view === name),
          answers: told[name]?.answers ?? {},
          fill: told[name]?.fill,
        })),
      }
    }
  },
  { name: 'status', dependencies: ['redis', 'metrics', 'store', 'view-reply'] },
)

/** Whatever keeps the database from telling, it is not there for this service now. */
function unlessAway<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch(() => undefined)
}
