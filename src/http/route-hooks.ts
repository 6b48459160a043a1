import type { RouteOptions } from 'fastify'

type Hook = 'onRequest' | 'preParsing' | 'onError' | 'onSend' | 'onResponse'

/** Puts a hook in front of those that a route has. */
export function addFirst(route: RouteOptions, hook: Hook, handler: unknown): void {
  route[hook] = [handler, route[hook] ?? []].flat() as never
}

/** Puts a hook behind those that a route has. */
export function addLast(route: RouteOptions, hook: Hook, handler: unknown): void {
  route[hook] = [route[hook] ?? [], handler].flat() as never
}
