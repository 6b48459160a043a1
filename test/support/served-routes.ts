import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { View } from '../../drizzle/define-view.js'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config.js'
import { type Scope, scoped } from './scope.js'

export interface Route {
  method: string
  url: string
  /** A path that leads there: the URL with {@link EXAMPLES} in it. */
  path: string
  /** Whether it is in the contract. */
  isPublished: boolean
  /** Whether it only says that the path does not have the method. */
  isRefusal: boolean
  /** The cached view that it shows. */
  view: View | undefined
}

/** What stands for the parameters of routes: somebody's id, a kind of problem, and a file of /docs. */
const EXAMPLES: Record<string, string> = {
  ':id': '1',
  ':kind': 'validation',
  '*': 'swagger-ui.css',
}

/** Every method and URL for which a service that is built from now on, until the end, has a route. */
export function collectRoutes(scope: Scope): Route[] {
  const routes: Route[] = []
  const collect = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url, config, schema }) => {
      const methods = [method].flat()
      const route = {
        url,
        path: examplePath(url),
        isPublished: schema !== undefined && schema.hide !== true,
        // Nothing else answers OPTIONS.
        isRefusal: methods.includes('OPTIONS'),
        view: config?.view ?? config?.cache?.view,
      }
      for (const each of methods) routes.push({ ...route, method: each })
    })
  }
  subscribe('fastify.initialization', collect)
  scope.teardown(() => unsubscribe('fastify.initialization', collect))
  return routes
}

/**
 * What the service has a route for, but for refusals: what is true of routes is asked of each of these.
 * HEAD stands among them, beside its GET.
 *
 * @throws if there are too few to be all
 */
export async function servedRoutes(): Promise<Route[]> {
  return scoped(async (scope) => {
    const routes = collectRoutes(scope)
    const config = readConfig({ LOG_LEVEL: 'silent' })
    const app = await buildApp({ ...config, databaseUrl: 'file::memory:' })
    scope.teardown(() => app.close())
    const served = routes.filter(({ isRefusal }) => !isRefusal)
    if (served.filter(({ isPublished }) => isPublished).length < 10 || served.length < 30) {
      throw new Error(`There are only ${served.length} routes`)
    }
    return served
  })
}

/** @throws for a parameter that has no example */
function examplePath(url: string): string {
  return url.replaceAll(/:\w+|\*/g, (parameter) => {
    const example = EXAMPLES[parameter]
    if (example === undefined) throw new Error(`EXAMPLES has none for ${parameter} of ${url}`)
    return example
  })
}
