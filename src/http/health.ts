import { Type } from '@sinclair/typebox'

export const Liveness = Type.Object(
  { status: Type.Literal('ok') },
  { $id: 'Liveness', description: 'The process is up', examples: [{ status: 'ok' }] },
)

export const oneOf = <T extends string>(description: string, ...values: T[]) =>
  Type.Unsafe<T>({ type: 'string', enum: values, description })

export const Readiness = Type.Object(
  {
    status: oneOf('degraded: all is served, but the configured Redis is away', 'ok', 'degraded'),
    database: Type.Literal('ok'),
    redis: oneOf('off: none is configured', 'ok', 'away', 'off'),
  },
  {
    $id: 'Readiness',
    description: 'How well the service can serve',
    examples: [{ status: 'ok', database: 'ok', redis: 'off' }],
  },
)
