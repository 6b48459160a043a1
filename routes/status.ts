import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { Source } from '../src/cache/view-cache.js'
import { oneOf } from '../src/http/health.js'
import { failures, json } from '../src/http/responses.js'
import { RELEASE as version } from '../src/release.js'

const time = (description: string) => Type.String({ format: 'date-time', description })
const count = (description: string) => Type.Integer({ minimum: 0, description })

const NONE = {
  not_modified: 0,
  near: 0,
  redis: 0,
  collapsed: 0,
  parts: 0,
  stored: 0,
  passed: 0,
} satisfies Record<Source, 0>

const Answers = Type.Object(
  {
    not_modified: count('304: the client had it'),
    near: count('The entry in a process'),
    redis: count('The shared store'),
    collapsed: count('Shared the fill of another request'),
    parts: count('An older entry, and the parts that had changed since'),
    stored: count('Read as a whole, and stored'),
    passed: count('Read as a whole, and not stored'),
  } satisfies Record<Source, unknown>,
  { description: 'Answers since the start by their source, of all processes: they only grow' },
)

const ViewStatus = Type.Object({
  name: Type.String(),
  path: Type.String({ description: 'The path that shows it' }),
  changes: Type.Optional(count('How many versions it has had; absent: the database is away')),
  changedAt: Type.Optional(time('When it last changed; absent: the database is away')),
  answers: Answers,
  fill: Type.Optional(
    Type.Object(
      {
        what: oneOf('parts: only those that had changed', 'whole', 'parts'),
        at: time('When it was read'),
        seconds: Type.Number({ minimum: 0, description: 'How long that took' }),
      },
      { description: 'When it was last read from the database; absent: not since the start' },
    ),
  ),
})

const NOW = '2026-11-26T09:30:00.000Z'
const Status = Type.Object(
  {
    at: time('When this was looked at, by the clock of the service'),
    version: Type.String({ description: 'The release' }),
    startedAt: time('When the service was started'),
    workers: count('Processes that serve'),
    database: oneOf('away: it does not answer now', 'ok', 'away'),
    redis: oneOf('Of all processes the worst; off: none is configured', 'ok', 'away', 'off'),
    employees: Type.Optional(
      Type.Object(
        {
          count: count('How many there were'),
          countedAt: time('When they were counted: seldom where that takes long'),
        },
        { description: 'Absent: they could not be counted yet' },
      ),
    ),
    views: Type.Array(ViewStatus, { description: 'Each cached view of this release' }),
  },
  {
    $id: 'Status',
    description: 'How the service and its cached views are doing',
    examples: [
      {
        at: NOW,
        version,
        startedAt: '2026-11-26T09:00:00.000Z',
        workers: 1,
        database: 'ok',
        redis: 'off',
        employees: { count: 1, countedAt: NOW },
        views: [
          {
            name: 'high_salary_emps',
            path: '/employees/high-salary',
            changes: 2,
            changedAt: '2026-11-26T09:15:00.000Z',
            answers: { ...NONE, near: 2, stored: 1 },
            fill: { what: 'whole', at: '2026-11-26T09:20:00.000Z', seconds: 0.0004 },
          },
        ],
      },
    ],
  },
)

const schema = {
  operationId: 'getStatus',
  summary: 'How the service and its cached views are doing',
  description:
    'What the page at / shows, in one small answer, which is made at most once a second. It is answered while Redis or the database is away, and while the service is overloaded, and does not count against a limit. Counters only grow while `startedAt` stays: rates are the difference of two answers.',
  tags: ['service'],
  response: {
    200: json(Status, 'How it is doing'),
    ...failures(401, 'too-many-refusals', 'unavailable'),
  },
}

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addSchema(Status)

  fastify.get('/status', { schema }, async () => {
    const { at, startedAt, workers, database, redis, employees, views } = await fastify.status()
    return {
      at: at.toISOString(),
      version,
      startedAt: dateTime(startedAt),
      workers,
      database,
      redis,
      ...(employees && {
        employees: { count: employees.value, countedAt: employees.at.toISOString() },
      }),
      views: views.map(({ name, path, age, answers, fill }) => ({
        name,
        path,
        ...(age && { changes: age.number, changedAt: dateTime(age.changedAt) }),
        answers: { ...NONE, ...answers },
        ...(fill && { fill: { ...fill, at: dateTime(fill.at) } }),
      })),
    }
  })
}

/** @param seconds Unix time */
function dateTime(seconds: number): string {
  return new Date(1000 * seconds).toISOString()
}

export default routes
