import createError from '@fastify/error'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { identityEtag } from './content-coding.js'

export const PreconditionFailed = createError(
  'PRECONDITION_FAILED',
  'The employee is not as %s expects: its entity tag is %s. Read it again, then decide',
  412,
)

const condition = (description: string) =>
  Type.Optional(Type.String({ description, examples: ['"jQHVY-QvCpFNTlNngskv6a"'] }))

/** The request headers of a conditional read. */
export const ReadConditions = Type.Object({
  'If-None-Match': condition(
    'The ETag of the answer that you have: the answer is 304 if it is still right (RFC 9110, 13.1.2)',
  ),
})

/** The request headers of a conditional change. */
export const ChangeConditions = Type.Object({
  'If-Match': condition(
    'The ETag of the employee that you read: nothing is changed, and the answer is 412, if it is ' +
      'another by now (RFC 9110, 13.1.1)',
  ),
  'If-None-Match': condition('Nothing is changed if the employee has this ETag (RFC 9110, 13.1.2)'),
})

/**
 * Finds the entity tag under which a client has a representation already, compressed or not: by what it said
 * of those that it has. It is told its own, whichever it would be sent now.
 */
export function knownTag({ headers }: FastifyRequest): (etag: string) => string | undefined {
  const condition = headers['if-none-match']
  return (etag) => {
    if (condition === undefined) return undefined
    const tag = tags(condition).find((tag) => tag === '*' || weakly(identityEtag(tag), etag))
    return tag === '*' ? etag : tag?.replace(WEAK, '')
  }
}

/** Whether a client that sent If-None-Match needs the representation (RFC 9110, section 13.1.2). */
export function noneMatch({ headers }: FastifyRequest, etag: string): boolean {
  const condition = headers['if-none-match']
  return condition === undefined || !tags(condition).some((tag) => weakly(tag, etag))
}

/**
 * Evaluates If-Match and If-None-Match in front of a change of something that exists, in the order
 * of RFC 9110, section 13.2.2.
 *
 * @throws {PreconditionFailed}
 */
export function assertUnchanged(request: FastifyRequest, etag: string): void {
  const condition = request.headers['if-match']
  if (condition !== undefined && !tags(condition).some((tag) => tag === '*' || tag === etag)) {
    throw new PreconditionFailed('If-Match', etag)
  }
  if (!noneMatch(request, etag)) throw new PreconditionFailed('If-None-Match', etag)
}

/** The entity tags of a condition: `*`, or a list of quoted tags, each perhaps weak. */
function tags(condition: string): string[] {
  return condition.trim() === '*' ? ['*'] : (condition.match(/(?:W\/)?"[^"]*"/g) ?? [])
}

function weakly(tag: string, etag: string): boolean {
  return tag === '*' || tag.replace(WEAK, '') === etag
}

const WEAK = /^W\//
