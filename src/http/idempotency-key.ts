import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'

/** A string of RFC 8941 without spaces, or, as many clients send it, the bare characters. */
const KEY = '^(?:"(?:[!#-\\[\\]-~]|\\\\["\\\\]){1,255}"|[!#-~][!-~]{0,254})$'

/** The request header of draft-ietf-httpapi-idempotency-key-header-07. */
export const IdempotencyKey = Type.Object({
  'Idempotency-Key': Type.Optional(
    Type.String({
      pattern: KEY,
      description:
        'Tells this request from any other of this client: 1 to 255 visible ASCII characters, in quotes or bare',
      examples: ['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    }),
  ),
})

/** The valid Idempotency-Key of a request, without the quotes; undefined: it has none. */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const value = headers['idempotency-key']
  if (typeof value !== 'string') return undefined
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
}
