import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PostgresServer } from '../../test/support/postgres-server.js'
import { type Scope, scoped } from '../../test/support/scope.js'
import { temporaryDirectory } from '../../test/support/temporary-directory.js'
import { VIEWS } from '../loads.js'
import { ServerProcess } from '../servers/process.js'
import type { Task } from './changing-client.js'
import { CLIENTS, type ClientName, type Known, WRITES_PER_SECOND } from './changing-load.js'
import { nameOf } from './checkouts.js'
import { generate } from './database.js'
import type { Answered, ChangingResult, ChangingResults } from './results.js'
import { measureWrites } from './writes.js'

const CLIENT = fileURLToPath(new URL('./changing-client.js', import.meta.url))

const DATABASES = ['SQLite', 'PostgreSQL'] as const
type DatabaseName = (typeof DATABASES)[number]

const READERS = (Object.keys(CLIENTS) as ClientName[]).filter((name) => name !== 'PATCH')
const EVERYBODY = Object.keys(CLIENTS) as ClientName[]
/** The first one is to warm up. */
const PHASES = [
  { name: undefined, clients: EVERYBODY, share: 0.25 },
  { name: 'at rest', clients: READERS, share: 1 },
  { name: `${WRITES_PER_SECOND} writes/s`, clients: EVERYBODY, share: 1 },
]

export interface ChangingPlan {
  employees: number
  /** Of each phase. */
  seconds: number
  /** Only databases whose name contains this. */
  only: string
  /** Directories with other built services, which are measured beside this one. */
  checkouts: string[]
  onStep: () => void
}

/** How many steps {@link measureChanging} takes. */
export function stepsOfChanging({ only, checkouts }: ChangingPlan): number {
  return namesOf(only).length * (checkouts.length + 1) * (2 + PHASES.length)
}

function namesOf(only: string): DatabaseName[] {
  return DATABASES.filter((name) => name.includes(only))
}

/**
 * Measures what readers wait for while somebody else changes what they read, and while nobody does. Every
 * service has a database that its own release has made: another one would have put its triggers into it.
 */
export async function measureChanging(plan: ChangingPlan): Promise<ChangingResults> {
  const results: ChangingResults = { changing: [], writes: [] }
  for (const database of namesOf(plan.only)) {
    await scoped(async (scope) => {
      const create = await creator(scope, database)
      const services: Service[] = []
      for (const checkout of [...plan.checkouts, undefined]) {
        const of = { database, release: nameOf(checkout) }
        const url = await create()
        await generate(url, plan.employees, checkout)
        plan.onStep()
        for (const write of await measureWrites(url)) results.writes.push({ ...of, ...write })
        plan.onStep()
        services.push({ of, ...(await start(scope, plan, url, checkout)) })
      }
      for (const { name, clients, share } of PHASES) {
        for (const service of services) {
          const measured = await measurePhase(scope, service, clients, share * plan.seconds)
          if (name) results.changing.push({ ...service.of, phase: name, ...measured })
          plan.onStep()
        }
      }
    })
  }
  return results
}

interface Service {
  of: Pick<ChangingResult, 'database' | 'release'>
  server: ServerProcess
  known: Known
}

/** What makes a new database; its URL. */
async function creator(scope: Scope, database: DatabaseName): Promise<() => Promise<string>> {
  if (database === 'SQLite') {
    return async () => `file:${join(await temporaryDirectory(scope), 'employees.db')}`
  }
  // On the disk, as that of SQLite.
  const server = await PostgresServer.start(scope, { onDisk: true })
  return () => server.createDatabase()
}

async function start(
  scope: Scope,
  { employees }: ChangingPlan,
  databaseUrl: string,
  checkout: string | undefined,
): Promise<Omit<Service, 'of'>> {
  const server = await ServerProcess.start(scope, { kind: 'service', databaseUrl }, [], checkout)
  const shown = async (path: string) =>
    (await fetch(server.url + path)).json() as Promise<Known['top']>
  const high = (await shown(VIEWS.high)).map(({ id }) => id)
  return { server, known: { employees, high, top: await shown(VIEWS.top2) } }
}

async function measurePhase(
  scope: Scope,
  { server, known }: Service,
  clients: ClientName[],
  seconds: number,
) {
  await server.ask('peak')
  const [cpu, start] = [await server.cpu(), performance.now()]
  const answered = await Promise.all(
    clients.map(async (client) => {
      const task = { url: server.url, client, seconds, known }
      return [client, await runClient(scope, task)] as const
    }),
  )
  const took = 1000 * (performance.now() - start)
  return {
    clients: Object.fromEntries(answered),
    cpu: ((await server.cpu()) - cpu) / took,
    rssMiB: (await server.ask('peak')) / 2 ** 20,
  }
}

async function runClient(scope: Scope, task: Task): Promise<Answered> {
  const child = fork(CLIENT, { serialization: 'advanced' })
  scope.teardown(() => child.kill())
  child.send(task)
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`The client of ${task.client} ended with ${code} before it was done`)
  })
  const [answered] = await Promise.race([once(child, 'message'), gone])
  return answered
}
