import { readFileSync } from 'node:fs'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { preHandlerHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { PAGE_POLICY } from '../src/http/page-policy.js'

/** Serves the contract as a page to read and to try, at /docs. */
export default fp(
  async function docsPagePlugin(fastify) {
    await fastify.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      staticCSP: PAGE_POLICY,
      // Without the bar on top, whose logo has a style of its own, against the policy.
      uiConfig: { layout: 'BaseLayout', defaultModelsExpandDepth: 0 },
      theme: {
        css: [{ filename: 'docs.css', content: page('docs.css') }],
        js: [{ filename: 'docs.js', content: page('docs.js') }],
      },
      uiHooks: { preHandler: sendPage },
    })
  },
  { name: 'docs-page', dependencies: ['openapi'] },
)

/** A file of the page at /docs. */
function page(name: string): string {
  return readFileSync(new URL(`../../public/docs/${name}`, import.meta.url), 'utf8')
}

const HTML = page('docs.html')

/** In place of the page of @fastify/swagger-ui, which has no viewport, and no place for what is around it. */
const sendPage: preHandlerHookHandler = (request, reply, done) => {
  if (/^\/docs\/?$/.test(request.routeOptions.url ?? ''))
    reply.type('text/html; charset=utf-8').send(HTML)
  else done()
}
