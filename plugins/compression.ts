import { pipeline } from 'node:stream'
import type { onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { type ContentCoding, codedEtag, codingFor, ENCODERS } from '../src/http/content-coding.js'
import { addLast } from '../src/http/route-hooks.js'
import { vary } from '../src/http/vary.js'
import { JsonArrayStream } from '../src/store/json-array-stream.js'

declare module 'fastify' {
  interface FastifyReply {
    /** The coding that the client likes best, if answers are compressed. */
    likedCoding: () => ContentCoding | undefined
    /** As likedCoding, for an answer that there may be in several: Vary says so. */
    coding: () => ContentCoding | undefined
    /** Says that the answer is sent in a coding, in its entity tag, too, if it has one. */
    sentIn: (coding: ContentCoding) => FastifyReply
  }
}

/**
 * Decorates `reply.coding`, and compresses lists as they are sent. Cached views are compressed once, where
 * they are kept.
 */
export default fp(
  async function compressionPlugin(fastify) {
    const isOn = fastify.config.compression
    fastify.decorateReply('likedCoding', function () {
      return isOn ? codingFor(this.request.headers['accept-encoding']) : undefined
    })
    fastify.decorateReply('coding', function () {
      if (isOn) vary(this, 'accept-encoding')
      return this.likedCoding()
    })
    fastify.decorateReply('sentIn', function (coding) {
      const etag = this.getHeader('etag')
      if (typeof etag === 'string') this.header('etag', codedEtag(etag, coding))
      return this.header('content-encoding', coding)
    })
    // Behind the hooks that end a list with its client, and keep a view.
    fastify.addHook('onRoute', (route) => {
      if (route.method === 'GET') addLast(route, 'onSend', compressList)
    })
  },
  { name: 'compression', dependencies: ['store'] },
)

const compressList: onSendHookHandler<unknown> = (_request, reply, payload, done) => {
  const coding = payload instanceof JsonArrayStream ? reply.coding() : undefined
  if (!coding) return done()
  reply.sentIn(coding)
  // An error, or a client that leaves, ends both; whoever sends the last one is told.
  done(
    null,
    pipeline(payload as JsonArrayStream, ENCODERS[coding].stream(), () => {}),
  )
}
