import { Readable } from 'node:stream'
import createError from '@fastify/error'
import {
  errorCodes,
  type FastifyBodyParser,
  type FastifyContentTypeParser,
  type preParsingHookHandler,
} from 'fastify'
import fp from 'fastify-plugin'
import { clientOf } from '../src/http/client-address.js'
import { LargeBodies, USUAL_BODY_BYTES } from '../src/http/large-bodies.js'
import { addLast } from '../src/http/route-hooks.js'
import { readWhole } from '../src/http/whole-body.js'
import { isTooDeep, MAX_DEPTH } from '../src/problems/nesting.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Told of each piece of a body that may be larger than usual. */
    onPieceOfBody: ((bytes: number, piece: Buffer) => void) | undefined
  }
}

const InvalidUtf8 = createError('FST_ERR_CTP_INVALID_UTF8', 'The body is not valid UTF-8', 400)
const Encoded = createError(
  'ENCODED_BODY',
  'Content-Encoding: bodies are read as they are; send it without a coding',
  415,
)
const TooDeep = createError(
  'FST_ERR_CTP_TOO_DEEP',
  `The body is nested too deeply: at most ${MAX_DEPTH} levels`,
  400,
)
const EmptyBody = createError('FST_ERR_CTP_EMPTY_BODY', 'The body is empty; send JSON', 400)

/** How many bodies of more than 64 KiB are in memory at once, a megabyte each at most. */
const MAX_LARGE_BODIES = 32
/** And of one client. */
const LARGE_BODIES_OF_A_CLIENT = 8

/**
 * Parses JSON bodies and, for PATCH, JSON Merge Patch (RFC 7396). Bytes that are not UTF-8 are an
 * error: the default parser would quietly store U+FFFD in their place. Other media types are a 415. Where a
 * route takes more than 64 KiB, that is for arrays.
 */
export default fp(
  async function bodyParsersPlugin(fastify) {
    const parse = fastify.getDefaultJsonParser('error', 'error')
    const utf8 = new TextDecoder('utf-8', { fatal: true })

    const parseJson: FastifyBodyParser<Buffer> = (request, body, done) => {
      if (body.length === 0) {
        // Many clients send their JSON content type with a DELETE, and nothing else.
        return request.method === 'DELETE' ? done(null, undefined) : done(new EmptyBody())
      }
      let text: string
      try {
        text = utf8.decode(body)
      } catch {
        return done(new InvalidUtf8())
      }
      return parse(request, text, (error, value) =>
        isTooDeep(value) ? done(new TooDeep()) : done(error, value),
      )
    }

    // Fastify reads the body of whoever names its type, and of a request without one Node has made no stream
    // that would come to an end (optimizeEmptyRequests): it would wait for ever.
    fastify.addHook('preParsing', function readNothing({ raw, headers }, _reply, payload, done) {
      const isMissing = raw.readableEnded && headers['content-type'] !== undefined
      done(null, isMissing ? Readable.from([]) : payload)
    })
    // Else bytes that were compressed would be told to be no JSON, and others to be what they are not.
    fastify.addHook('preParsing', function refuseCodings({ method, headers }, _, payload, done) {
      const { 'content-encoding': coding = 'identity', 'content-type': type } = headers
      const hasBody = type !== undefined && method !== 'GET' && method !== 'HEAD'
      if (hasBody && coding.toLowerCase() !== 'identity') done(new Encoded())
      else done(null, payload)
    })
    const large = new LargeBodies(MAX_LARGE_BODIES, LARGE_BODIES_OF_A_CLIENT)
    fastify.decorateRequest('onPieceOfBody', undefined)
    fastify.addHook('onRoute', (route) => {
      if ((route.bodyLimit ?? 0) <= USUAL_BODY_BYTES) return
      const countLarge: preParsingHookHandler = (request, { raw }, payload, done) => {
        if (!(Number(request.headers['content-length']) <= USUAL_BODY_BYTES)) {
          const onLarge = (leave: () => void) => raw.once('close', leave)
          request.onPieceOfBody = large.watch(clientOf(request), onLarge)
        }
        done(null, payload)
      }
      addLast(route, 'preParsing', countLarge)
    })
    const parserOf =
      (parse: FastifyBodyParser<Buffer>): FastifyContentTypeParser =>
      (request, payload, done) => {
        const { headers, routeOptions } = request
        const length = headers['content-length']
        const announced = length === undefined ? undefined : Number(length)
        const limit = routeOptions.bodyLimit
        const { onPieceOfBody: onPiece } = request
        readWhole(payload as Readable, { limit, announced, onPiece }, (error, body) => {
          if (error) done(error)
          else parse(request, body as Buffer, done)
        })
      }

    fastify.removeAllContentTypeParsers()
    fastify.addContentTypeParser('application/json', parserOf(parseJson))
    fastify.addContentTypeParser(
      'application/merge-patch+json',
      parserOf((request, body, done) => {
        if (request.method === 'PATCH') return parseJson(request, body, done)
        return done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE('application/merge-patch+json'))
      }),
    )
  },
  { name: 'body-parsers' },
)
