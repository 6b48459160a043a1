import type { Config } from '../../src/config.js'
import { build } from './build.js'
import type { Scope } from './scope.js'
import { collectRoutes } from './served-routes.js'

/** The service, and every method and URL that it has a route for, those of other plugins included. */
export async function buildWithRoutes(scope: Scope, overrides: Partial<Config> = {}) {
  const routes = collectRoutes(scope)
  return { app: await build(scope, overrides), routes }
}
