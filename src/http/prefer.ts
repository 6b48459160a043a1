import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'

/** The request header of RFC 7240; what it says that is not known here is passed over. */
export const Preferences = Type.Object({
  Prefer: Type.Optional(
    Type.String({
      description: 'count=exact: X-Total-Count says how many there are on all pages (RFC 7240)',
      examples: ['count=exact'],
    }),
  ),
})

const COUNT = /(?:^|,)\s*count\s*=\s*(?:exact|"exact")\s*(?:[,;]|$)/i

/** Whether a request would have all counted: that costs as much as there are. */
export function wantsCount({ headers: { prefer } }: FastifyRequest): boolean {
  return typeof prefer === 'string' && COUNT.test(prefer)
}
