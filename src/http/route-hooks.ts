import type { RouteOptions } from 'fastify'

/** Puts a hook in front of those that a route has. */
export function addFirst(
  route: RouteOptions,
  hook: 'onRequest' | 'onError' | 'onSend' | 'onResponse',
  handler: unknown,
): void {
  route[hook] = [handler, route[hook] ?? []].flat() as never
}
