import { readFileSync } from 'node:fs'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { pageHeaders } from '../src/http/page-policy.js'
import { noneMatch } from '../src/http/preconditions.js'

const files = {
  '/': ['index.html', 'text/html'],
  '/page/page.css': ['page.css', 'text/css'],
  '/page/page.js': ['page.js', 'text/javascript'],
  '/page/figures.js': ['figures.js', 'text/javascript'],
  '/page/show.js': ['show.js', 'text/javascript'],
  '/page/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

/** The page for visitors: what this is, and how its views are doing. It asks the API like anybody. */
const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  for (const [url, [name, type]] of Object.entries(files)) {
    const file = readFileSync(new URL(`../../public/${name}`, import.meta.url))
    const headers = pageHeaders(file)

    fastify.get(url, { schema: { hide: true } }, async (request, reply) => {
      reply.headers(headers)
      if (!noneMatch(request, headers.etag)) return reply.code(304).send()
      return reply.type(`${type}; charset=utf-8`).send(file)
    })
  }
}

export default routes
