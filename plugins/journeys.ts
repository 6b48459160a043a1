import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { View } from '../drizzle/define-view.js'
import type { ByteStore } from '../src/cache/byte-store.js'
import { Miss, type ViewCache } from '../src/cache/view-cache.js'
import { pathOf } from '../src/http/request-line.js'
import { setTraceFields, traceContextOf } from '../src/http/trace-context.js'
import { currentJourney, ended, Journey, observeMethods } from '../src/phases/journey.js'
import type { RequestSpan, Tracing } from '../src/tracing/tracing.js'
import type { TracingConfig } from '../src/tracing/variables.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Its way through the service, where somebody wants to know. */
    journey: Journey | undefined
  }
}

/** Notes what each request waits for, for Server-Timing and for traces. Where nobody wants to know there is no hook, and nothing is asked. */
export default fp(
  async function journeysPlugin(fastify) {
    fastify.decorateRequest('journey', undefined)
    const { config } = fastify
    const tracing = config.tracing && (await startTracing(fastify, config.tracing))
    if (!config.serverTiming && !tracing) return

    fastify.addHook('onRequest', function beginJourney(request, reply, done) {
      const span = tracing && beginSpan(tracing, request, reply)
      request.journey = new Journey(span && ((...phase) => span.observe(...phase)))
      request.journey.run(done)
    })
    // Who waits for others of its turn (inARow) goes on in the name of the first of them.
    fastify.addHook('preValidation', function goOn({ journey }, _reply, done) {
      if (journey) journey.run(done)
      else done()
    })
    if (tracing) fastify.addHook('onClose', () => tracing.close())
    fastify.addHook('onReady', async () => {
      const { employees, redis, redisState, viewCache, views } = fastify
      observeMethods(employees, 'db', [
        ...(['create', 'get', 'update', 'delete', 'page', 'sortedPage', 'list', 'ping'] as const),
      ])
      observeMethods(views, 'db', ['read', 'readChanges'])
      if (redisState() !== 'off')
        observeMethods(redis as unknown as ByteStore, 'redis', ['getBuffer', 'increment'])
      observeViews(viewCache)
    })
  },
  { name: 'journeys' },
)

/** What is loaded for that is loaded for nobody else. */
async function startTracing({ config, log }: FastifyInstance, tracing: TracingConfig) {
  const { Tracing } = await import('../src/tracing/tracing.js')
  const databaseSystem = config.databaseUrl.startsWith('file:') ? 'sqlite' : 'postgresql'
  const onChange = (reason: string | undefined) => {
    if (reason === undefined) log.info('the collector of traces is here again')
    else log.warn({ 'error.message': reason }, 'the collector of traces takes none: they are lost')
  }
  return Tracing.start(tracing, { serviceName: config.serviceName, databaseSystem, onChange })
}

function beginSpan(tracing: Tracing, request: FastifyRequest, reply: FastifyReply): RequestSpan {
  const { method, url, routeOptions, raw } = request
  const asked = { method, path: pathOf(url), route: routeOptions.url, client: traceContextOf(raw) }
  const span = tracing.begin(asked)
  setTraceFields(raw, span.fields)
  reply.raw.once('close', () => span.end(reply.raw.statusCode))
  return span
}

/**
 * All who share a probe are told of it by whoever asked first, so each goes on with a journey of its own: in
 * `known`, which is asked when the version is there, and behind it.
 */
function observeViews(cache: ViewCache<View>): void {
  const near = cache.near.bind(cache)
  const lookup = cache.lookup.bind(cache)
  cache.near = (view, known, done, failed) => {
    const journey = currentJourney()
    if (!journey) return near(view, known, done, failed)
    let end = journey.begin('probe', view.name)
    const knownThen: typeof known = (etag) => {
      end()
      end = journey.begin('l1', view.name)
      return known(etag)
    }
    const goOn = (error: unknown, work: () => void) => {
      end(error)
      journey.run(work)
    }
    near(
      view,
      knownThen,
      (found) => goOn(undefined, () => done(found)),
      (error) => goOn(error, () => failed(error)),
    )
  }
  cache.lookup = async (view, ...given) => {
    const found = await lookup(view, ...given)
    const journey = currentJourney()
    if (!(found instanceof Miss) || !journey) return found
    const { fill, abandon } = found
    const observed: typeof fill = (filling) =>
      ended(() => fill(filling), journey.begin('fill', view.name))
    return new Miss(observed, abandon)
  }
}
