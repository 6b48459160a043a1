import type { FastifyReply } from 'fastify'

/** Says that an answer depends on a header of the request, beside those that it has said of already. */
export function vary(reply: FastifyReply, header: string): void {
  const others = reply.getHeader('vary')
  if (others === undefined) reply.header('vary', header)
  else if (!`${others}`.split(/, */).includes(header)) reply.header('vary', `${others}, ${header}`)
}
