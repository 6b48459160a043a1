import { setTimeout as delay } from 'node:timers/promises'
import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { End, Phase } from '../phases/journey.js'
import { RELEASE } from '../release.js'
import type { TracingConfig } from './variables.js'

/** How long a close waits for what was not sent yet. */
const CLOSE_MS = 1000
/** Of a span: what clients send is longer only to do harm. */
const SPAN_LIMITS = { attributeValueLengthLimit: 512 }

/** The methods of which spans have the name; of the others there would be as many as clients can think of. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export interface TracingOptions {
  serviceName: string
  /** As OpenTelemetry calls it. */
  databaseSystem: 'sqlite' | 'postgresql'
  /** Told when the collector does not take spans any more, and why; and undefined when it does again. */
  onChange: (reason: string | undefined) => void
}

/** What is known of a request as it arrives. */
interface Asked {
  method: string
  /** Without a query. */
  path: string
  /** Its pattern, if it has one. */
  route: string | undefined
  /** Where it is in a trace of its client, if that says so. */
  client: { traceId: string; spanId: string; isSampled: boolean } | undefined
}

/**
 * Tells an OpenTelemetry collector of requests and what they wait for, in batches of spans. What waits is
 * bounded, and dropped where the collector is away: nobody waits for it. Nothing in a span was sent by a client
 * but the path, and nothing comes from the database.
 *
 * Names are those of https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and
 * https://opentelemetry.io/docs/specs/semconv/database/database-spans/.
 */
export class Tracing {
  readonly #provider: TracerProvider
  readonly #tracer: Tracer
  readonly #system: TracingOptions['databaseSystem']

  private constructor(provider: TracerProvider, system: TracingOptions['databaseSystem']) {
    this.#provider = provider
    this.#tracer = provider.getTracer('employees', RELEASE)
    this.#system = system
  }

  static async start(config: TracingConfig, options: TracingOptions): Promise<Tracing> {
    const { serviceName, databaseSystem, onChange } = options
    const own = {
      'service.name': serviceName,
      'service.version': RELEASE,
      'process.pid': process.pid,
    }
    const provider = new TracerProvider({
      resource: defaultResource()
        .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
        .merge(resourceFromAttributes(own)),
      sampler: samplerOf(config),
      spanLimits: SPAN_LIMITS,
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: telling(await exporterOf(config), onChange),
          scheduledDelayMillis: config.batchDelayMs,
          maxQueueSize: config.maxQueueSize,
        }),
      ],
    })
    return new Tracing(provider, databaseSystem)
  }

  begin({ method, path, route, client }: Asked): RequestSpan {
    const known = METHODS.has(method) ? method : '_OTHER'
    const parent =
      client &&
      trace.setSpanContext(ROOT_CONTEXT, {
        traceId: client.traceId,
        spanId: client.spanId,
        traceFlags: client.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
        isRemote: true,
      })
    const name = `${known === '_OTHER' ? 'HTTP' : known}${route === undefined ? '' : ` ${route}`}`
    const attributes: Attributes = { 'http.request.method': known, 'url.path': path }
    if (route !== undefined) attributes['http.route'] = route
    const kind = SpanKind.SERVER
    const span = this.#tracer.startSpan(name, { kind, attributes }, parent ?? ROOT_CONTEXT)
    return new RequestSpan(span, this.#tracer, this.#system)
  }

  /** Sends what waits, if that can be done at once. */
  async close(): Promise<void> {
    const end = new AbortController()
    await Promise.race([
      this.#provider.shutdown().catch(() => {}),
      delay(CLOSE_MS, undefined, { signal: end.signal }).catch(() => {}),
    ])
    end.abort()
  }
}

/** The span of a request, and the beginning of those below it. */
export class RequestSpan {
  readonly #span: Span
  readonly #tracer: Tracer
  readonly #system: string

  constructor(span: Span, tracer: Tracer, system: string) {
    this.#span = span
    this.#tracer = tracer
    this.#system = system
  }

  /** As the lines of a log have them. */
  get fields(): { 'trace.id': string; 'span.id': string } {
    const { traceId, spanId } = this.#span.spanContext()
    return { 'trace.id': traceId, 'span.id': spanId }
  }

  /** Begins the span of a phase; a look at a copy here takes less than a span. */
  observe(phase: Phase, operation: string): End {
    if (phase === 'l1' || !this.#span.isRecording()) return () => {}
    const isCall = phase === 'db' || phase === 'redis'
    const system = phase === 'db' ? this.#system : 'redis'
    const options = isCall
      ? {
          kind: SpanKind.CLIENT,
          attributes: { 'db.system.name': system, 'db.operation.name': operation },
        }
      : {}
    const span = this.#tracer.startSpan(
      `${phase} ${operation}`,
      options,
      trace.setSpan(ROOT_CONTEXT, this.#span),
    )
    return (error) => {
      if (isFailure(error)) fail(span, `${(error as { code?: unknown }).code ?? 'error'}`)
      span.end()
    }
  }

  end(status: number): void {
    this.#span.setAttribute('http.response.status_code', status)
    if (status >= 500) fail(this.#span, `${status}`)
    this.#span.end()
  }
}

/** Without its message, which may repeat what was sent. */
function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR })
}

/** What tells a client that it asked for what is not so is an answer. */
function isFailure(error: unknown): boolean {
  return error !== undefined && ((error as { statusCode?: number })?.statusCode ?? 500) >= 500
}

function samplerOf({ sampler, ratio }: TracingConfig): Sampler {
  const root = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  }
  const [, isParentBased, name] = /^(parentbased_)?(.*)$/.exec(sampler) ?? []
  const own = root[name as keyof typeof root]()
  return isParentBased ? new ParentBasedSampler({ root: own }) : own
}

async function exporterOf({ url, protocol }: TracingConfig): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto')
  return new OTLPTraceExporter({ url })
}

/** Tells when an exporter begins to fail, and when that is over. */
function telling(exporter: SpanExporter, onChange: TracingOptions['onChange']): SpanExporter {
  let isAway = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const { error } = result
        if (isAway !== (error !== undefined)) onChange(error?.message)
        isAway = error !== undefined
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
  }
}
