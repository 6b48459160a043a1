import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { idLine } from '../src/http/request-id.js'
import { ServiceResponse } from '../src/http/service-response.js'

/** Puts the id of a request, which is on every line of its log, into its answer. */
export default fp(
  async function requestIdPlugin(fastify) {
    fastify.addHook('onSend', (_request, reply, _payload, done) => {
      setRequestId(reply)
      done()
    })
  },
  { name: 'request-id' },
)

export function setRequestId(reply: FastifyReply): void {
  const { raw, request } = reply
  if (raw instanceof ServiceResponse) raw.lines = idLine(request.id)
  else reply.header('x-request-id', request.id)
}
