import fp from 'fastify-plugin'
import type { View } from '../drizzle/define-view.js'
import { ViewCache } from '../src/cache/view-cache.js'
import { type ContentCoding, ENCODERS } from '../src/http/content-coding.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The way to the answers of cached views. */
    viewCache: ViewCache<View>
  }
}

/** Decorates `fastify.viewCache`, which asks the store what is current and tells fills to metrics. */
export default fp(
  async function viewCachePlugin(fastify) {
    const { metrics, views } = fastify
    const cache = new ViewCache<View>((view) => views.version(view), {
      readChanges: (...since) => views.readChanges(...since),
      onFill: ({ name }, what, seconds) => metrics.viewFilled(name, what, seconds),
      encode: (body, coding) => ENCODERS[coding as ContentCoding].encode(body),
    })
    metrics.watchViews(function* () {
      for (const [{ name }, bytes] of cache.bytes()) yield [name, bytes]
    })
    fastify.decorate('viewCache', cache)
    fastify.employees.onCommit(() => cache.forgetOutdated().catch(() => {}))
  },
  { name: 'view-cache', dependencies: ['store', 'metrics'] },
)
