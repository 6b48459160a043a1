import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { pageHeaders } from '../src/http/page-policy.js'
import { noneMatch } from '../src/http/preconditions.js'

const PUBLIC = new URL('../../public/', import.meta.url)

/** What files of a page are called, and of which type they are. */
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
}

/** The page for visitors: what this is, and how its views are doing. It asks the API like anybody. */
const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  for (const name of readdirSync(PUBLIC)) {
    const type = TYPES[extname(name)]
    if (!type) continue
    const file = readFileSync(new URL(name, PUBLIC))
    const headers = pageHeaders(file)
    const url = name === 'index.html' ? '/' : `/page/${name}`

    fastify.get(url, { schema: { hide: true } }, async (request, reply) => {
      reply.headers(headers)
      if (!noneMatch(request, headers.etag)) return reply.code(304).send()
      return reply.type(`${type}; charset=utf-8`).send(file)
    })
  }
}

export default routes
