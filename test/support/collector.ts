import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Scope } from './scope.js'

/** A span as OTLP has it in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
export interface CollectedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: Record<string, string | number>
  status: number
  /** Of the resource. */
  service: string
}

interface Exported {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: {
      spans: (Omit<CollectedSpan, 'attributes' | 'status'> & {
        attributes: Attribute[]
        status: { code?: number }
      })[]
    }[]
  }[]
}
type Attribute = { key: string; value: { stringValue?: string; intValue?: number } }

/** A collector of OpenTelemetry: what it was told over OTLP/HTTP. */
export class Collector {
  readonly url: string
  /** Each body that came, with its type and path. */
  readonly posts: { path: string; type: string | undefined; body: Buffer }[] = []
  /** Whether it answers. */
  isHanging = false

  private constructor(url: string) {
    this.url = url
  }

  static async start(scope: Scope): Promise<Collector> {
    const server = createServer(async (request, response) => {
      const body = await buffer(request)
      const { url: path = '', headers } = request
      collector.posts.push({ path, type: headers['content-type'], body })
      if (!collector.isHanging)
        response.setHeader('content-type', `${headers['content-type']}`).end('{}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    scope.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    const collector = new Collector(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    return collector
  }

  /** Of all bodies in JSON. */
  get spans(): CollectedSpan[] {
    return this.posts.flatMap(({ body }) =>
      (JSON.parse(body.toString()) as Exported).resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) =>
          spans.map((span) => ({
            ...span,
            attributes: valuesOf(span.attributes),
            status: span.status.code ?? 0,
            service: `${valuesOf(resource.attributes)['service.name']}`,
          })),
        ),
      ),
    )
  }
}

function valuesOf(attributes: Attribute[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? '']),
  )
}
