import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequestOf } from '../src/http/handlers.js'
import { prefersJson } from '../src/http/media-type.js'
import { pageHeaders } from '../src/http/page-policy.js'
import { noneMatch } from '../src/http/preconditions.js'
import { vary } from '../src/http/vary.js'
import { kindNames } from '../src/problems/kinds.js'
import { indexPage, type Page, pageOf } from '../src/problems/pages.js'

const kindOfProblem = { hide: true, params: Type.Object({ kind: Type.String() }) }

/** Where the `type` of a problem leads: what it means, and what to do. */
const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const index = ready(indexPage())
  const pages = new Map<string, Representations>(
    kindNames.map((kind) => [kind, ready(pageOf(kind))]),
  )

  fastify.get('/problems/', { schema: { hide: true } }, (request, reply) =>
    answer(index, request, reply),
  )
  fastify.get('/problems/:kind', { schema: kindOfProblem }, explain)

  async function explain(request: RequestOf<typeof kindOfProblem>, reply: FastifyReply) {
    const page = pages.get(request.params.kind)
    if (!page) return reply.callNotFound()
    return answer(page, request, reply)
  }
}

export default routes

type Representations = ReturnType<typeof ready>

/** Both forms of a page, each with its headers. */
function ready({ html, json }: Page) {
  const form = (type: string, body: string) => ({ type, body, headers: pageHeaders(body) })
  return {
    html: form('text/html; charset=utf-8', html),
    json: form('application/json; charset=utf-8', JSON.stringify(json)),
  }
}

async function answer(
  { html, json }: Representations,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const { type, body, headers } = prefersJson(request.headers.accept) ? json : html
  reply.headers(headers)
  vary(reply, 'accept')
  if (!noneMatch(request, headers.etag)) return reply.code(304).send()
  return reply.type(type).send(body)
}
