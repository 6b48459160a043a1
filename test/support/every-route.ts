import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { View } from '../../drizzle/define-view.js'
import type { Config } from '../../src/config.js'
import { build } from './build.js'
import type { Scope } from './scope.js'

interface Route {
  method: string
  url: string
  /** Whether it is in the contract. */
  isPublished: boolean
  /** The cached view that it shows. */
  view: View | undefined
}

/** The service, and every method and URL that it has a route for, those of other plugins included. */
export async function buildWithRoutes(scope: Scope, overrides: Partial<Config> = {}) {
  const routes: Route[] = []
  const collect = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url, config, schema }) => {
      const view = config?.view ?? config?.cache?.view
      const isPublished = schema !== undefined && schema.hide !== true
      for (const each of [method].flat()) routes.push({ method: each, url, isPublished, view })
    })
  }
  subscribe('fastify.initialization', collect)
  scope.teardown(() => unsubscribe('fastify.initialization', collect))
  return { app: await build(scope, overrides), routes }
}
