import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { build } from './build.js'

/** The service, and every method and URL that it has a route for, those of other plugins included. */
export async function buildWithRoutes(t: Test, overrides: Partial<Config>) {
  const routes: { method: string; url: string }[] = []
  const collect = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url })
    })
  }
  subscribe('fastify.initialization', collect)
  t.teardown(() => unsubscribe('fastify.initialization', collect))
  return { app: await build(t, overrides), routes }
}
