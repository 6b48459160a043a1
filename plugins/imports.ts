import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import createError from '@fastify/error'
import { errorCodes, type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { EmployeeCreate, type Imported } from '../src/employees/schemas.js'
import { clientOf } from '../src/http/client-address.js'
import { LIMITS, NDJSON, readNdjson } from '../src/http/ndjson.js'
import { buildValidator } from '../src/http/validation.js'
import type { EmployeeImport, IdempotencyScope } from '../src/store/store.js'

/** Imports under way in a process: each stages on the disk, and one writes at a time. */
const MOST = 2
/** Between two transactions of them, for the writes that wait. */
const BETWEEN_COMMITS_MS = 100
/** From the first byte to the commit, in milliseconds. The request has 30 s to arrive (src/app.ts). */
const PATIENCE_MS = 60_000

const TooManyImports = createError(
  'TOO_MANY_IMPORTS',
  'Too many imports are under way already; nothing was changed, try again in a moment',
  503,
)
const TooSlow = createError(
  'IMPORT_TIMEOUT',
  `It took longer than ${PATIENCE_MS / 1000} s in all; nothing was changed, try again in a moment`,
  503,
)
const ImportsAlready = createError(
  'IMPORTS_ALREADY',
  'You import already; wait for its answer. Nothing was changed',
  429,
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It takes bodies of lines (application/x-ndjson), as a stream. */
    readsLines?: boolean
  }
  interface FastifyInstance {
    /**
     * Creates the employees of a body of lines, all or none; with a scope as {@link EmployeeStore.create} does.
     *
     * @throws errors with status 400, 413, 429 and 503, and what the store throws
     */
    importEmployees(request: FastifyRequest, scope?: IdempotencyScope): Promise<Imported>
  }
}

/**
 * Reads bodies of lines, for routes that say so, and creates the employees that they hold. The
 * contract says it in words: of a body of two types, generators make clients that name neither.
 */
export default fp(
  async function importsPlugin(fastify) {
    const importing = new Set<string>()
    let lastCommit: Promise<unknown> = Promise.resolve()
    const build = buildValidator({}, {})
    const validate = build({
      schema: EmployeeCreate,
      httpPart: 'body',
      method: 'POST',
      url: '/employees',
    })

    fastify.addContentTypeParser(NDJSON, (request, payload, done) => {
      if (request.routeOptions.config.readsLines) return done(null, payload)
      return done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(NDJSON))
    })
    fastify.decorate('importEmployees', importEmployees)

    async function importEmployees(request: FastifyRequest, scope?: IdempotencyScope) {
      if (Number(request.headers['content-length']) > LIMITS.bytes) {
        throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
      }
      const client = clientOf(request)
      if (importing.has(client)) throw new ImportsAlready()
      if (importing.size >= MOST) throw new TooManyImports()
      importing.add(client)
      try {
        return await stageAndCommit(request.body as Readable, scope)
      } finally {
        importing.delete(client)
      }
    }

    /** One behind the other, with room between: else those who wait for one would wait for the next as well. */
    function inTurn<T>(commit: () => Promise<T>): Promise<T> {
      const turn = lastCommit.then(commit)
      lastCommit = turn.catch(() => {}).then(() => delay(BETWEEN_COMMITS_MS))
      return turn
    }

    async function stageAndCommit(body: Readable, scope?: IdempotencyScope): Promise<Imported> {
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(new TooSlow()), PATIENCE_MS)
      let staged: EmployeeImport | undefined
      try {
        staged = await fastify.employees.import(late.signal)
        // Of the fields, as that of other bodies, and never the same.
        const hash = createHash('sha256')
        for await (const employee of readNdjson<EmployeeCreate>(body, validate)) {
          const { name, salary, department } = employee
          if (scope) hash.update(`${JSON.stringify([name, salary, department])}\n`)
          const isFull = staged.add(employee)
          if (isFull) await isFull
        }
        const own = staged
        return await inTurn(() => own.commit(scope && { ...scope, body: hash.digest() }))
      } finally {
        clearTimeout(timer)
        await staged?.close()
      }
    }
  },
  { name: 'imports', dependencies: ['store', 'body-parsers', 'connections'] },
)
