import { fileURLToPath } from 'node:url'
import autoload from '@fastify/autoload'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import authentication from '../plugins/authentication.js'
import authorization from '../plugins/authorization.js'
import bodyParsers from '../plugins/body-parsers.js'
import caching from '../plugins/caching.js'
import closing from '../plugins/closing.js'
import compression from '../plugins/compression.js'
import connections from '../plugins/connections.js'
import cors from '../plugins/cors.js'
import database from '../plugins/database.js'
import docsPage from '../plugins/docs-page.js'
import errors, { sendUnroutable } from '../plugins/errors.js'
import host from '../plugins/host.js'
import imports from '../plugins/imports.js'
import inARow from '../plugins/in-a-row.js'
import journeys from '../plugins/journeys.js'
import methods from '../plugins/methods.js'
import metrics from '../plugins/metrics.js'
import nearCopies from '../plugins/near-copies.js'
import openapi from '../plugins/openapi.js'
import overload from '../plugins/overload.js'
import pipelining from '../plugins/pipelining.js'
import rateLimit from '../plugins/rate-limit.js'
import readyAnswers from '../plugins/ready-answers.js'
import redis from '../plugins/redis.js'
import refusals from '../plugins/refusals.js'
import requestIds from '../plugins/request-id.js'
import securityHeaders from '../plugins/security-headers.js'
import serverTiming from '../plugins/server-timing.js'
import slowReaders from '../plugins/slow-readers.js'
import status from '../plugins/status.js'
import store from '../plugins/store.js'
import viewCache from '../plugins/view-cache.js'
import viewReply from '../plugins/view-reply.js'
import type { Config } from './config.js'
import { trustedProxies } from './http/client-address.js'
import { answerClientError } from './http/client-error.js'
import { USUAL_BODY_BYTES } from './http/large-bodies.js'
import { AccessLog } from './http/log-controller.js'
import { requestId } from './http/request-id.js'
import { lazyChildLogger } from './http/request-log.js'
import { ServiceResponse } from './http/service-response.js'
import { buildValidator } from './http/validation.js'
import { loggerOptions } from './logger.js'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
  }
}

/**
 * Builds the service, ready to listen or to be injected with requests. It opens the database and
 * brings its schema up to date; `close()` ends everything that it opened.
 *
 * @throws if the database cannot be opened
 */
export async function buildApp(config: Config) {
  const app = Fastify({
    logger: loggerOptions(config),
    logController: new AccessLog(config.logLevel),
    childLoggerFactory: lazyChildLogger,
    genReqId: requestId,
    pluginTimeout: 0, // a database says itself that it is away; bringing it up to date takes its time
    trustProxy: trustedProxies(config.trustProxy),
    return503OnClosing: false, // see plugins/closing.ts
    bodyLimit: USUAL_BODY_BYTES,
    requestTimeout: 30_000,
    http: {
      headersTimeout: 10_000,
      connectionsCheckingInterval: 1000, // else a client that is too late is found after 30 s
      requireHostHeader: false,
      ServerResponse: ServiceResponse,
      optimizeEmptyRequests: true, // what has no body needs no stream
    },
    routerOptions: { maxParamLength: 1000 },
    schemaController: { compilersFactory: { buildValidator } },
    frameworkErrors: sendUnroutable,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.decorate('config', config)
  await app.register(connections)
  await app.register(pipelining)
  await app.register(journeys)
  await app.register(refusals)
  await app.register(requestIds)
  await app.register(securityHeaders)
  await app.register(host)
  await app.register(errors)
  await app.register(closing)
  await app.register(slowReaders)
  await app.register(cors)
  await app.register(overload)
  await app.register(authentication)
  await app.register(database)
  await app.register(redis)
  await app.register(rateLimit)
  await app.register(authorization)
  await app.register(bodyParsers)
  await app.register(inARow)
  await app.register(methods)
  await app.register(metrics)
  await app.register(openapi)
  await app.register(docsPage)
  await app.register(store)
  await app.register(imports)
  await app.register(compression)
  await app.register(viewCache)
  await app.register(readyAnswers)
  await app.register(viewReply)
  await app.register(status)
  await app.register(caching)
  await app.register(nearCopies)
  await app.register(serverTiming)

  // A new file in routes/ is a new resource or view, with no list to add it to.
  await app.register(autoload, { dir: fileURLToPath(new URL('../routes', import.meta.url)) })
  app.answerOtherMethods()
  return app
}
