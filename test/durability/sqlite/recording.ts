import { realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Faker } from '@faker-js/faker'
import Sqlite from 'better-sqlite3'
import type { Employee } from '../../../src/employees/schemas.js'
import { bulkLoad } from '../../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import type { Scope } from '../../support/scope.js'
import { Service, withDescriptors } from '../../support/service.js'
import { traced, traceEnd } from '../../support/strace.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { Disk, filesIn } from './disk.js'
import { type Event, readTrace } from './syscall-trace.js'
import { randomEmployee, WriteStorm } from './write-storm.js'

export const DATABASE = 'employees.db'
export const LOG = `${DATABASE}-wal`

/** Slots for employees beside those who are there from the beginning. */
const FREE_SLOTS = 80
/** Behind this the service has its log cut off (see write-ahead-log.ts) once no snapshot needs it. */
const LONG_LOG_BYTES = 33 * 1024 * 1024
/** Longer than the service takes until it does. */
const QUIET_MS = 1500

/** What a storm does beside writing, and over what. */
export interface StormOptions {
  /** Acknowledged ones. */
  writes: number
  /** Who are there before it. */
  employees: number
  /** Of the service. */
  processes: number
  /** Whether another program lets the log grow until it has to be cut off. */
  longLog: boolean
}

/** What happened in a storm, from the start of the service to its end. */
export interface Recording {
  storm: WriteStorm
  /** As it was before. */
  disk: Disk
  events: Event[]
  /** What there was while a request was answered and nobody wrote, and what there was at the end. */
  quiet: { requestId: string; files: Map<string, Buffer> }
  end: Map<string, Buffer>
}

/** Records the system calls of a service under a write storm. Without employees it makes its database. */
export async function record(
  scope: Scope,
  random: Faker,
  options: StormOptions,
): Promise<Recording> {
  const directory = realpathSync(await temporaryDirectory(scope))
  const path = join(directory, DATABASE)
  const url = `file:${path}`
  const employees = options.employees > 0 ? await populate(url, random, options.employees) : []
  const disk = new Disk(directory)
  const storm = new WriteStorm(random, employees, employees.length + FREE_SLOTS)

  const trace = join(await temporaryDirectory(scope), 'trace')
  const env = { DATABASE_URL: url, WEB_CONCURRENCY: `${options.processes}` }
  const service = await Service.start(scope, env, traced(trace, withDescriptors(undefined)))
  if (options.longLog) await growLog(path, storm, service.url)
  await storm.run(service.url, () => storm.writes >= options.writes)
  await delay(QUIET_MS)
  const files = filesIn(directory)
  const requestId = await storm.look(`${service.url}/employees/high-salary`)
  await service.stop()
  await traceEnd(trace, service.process.pid as number)
  const events = await readTrace(trace, directory)
  rmSync(trace)
  return { storm, disk, events, quiet: { requestId, files }, end: filesIn(directory) }
}

async function populate(url: string, random: Faker, count: number): Promise<Employee[]> {
  const { $client } = openSqlite(url)
  const employees = Array.from({ length: count }, (_, slot) =>
    randomEmployee(random, { slot, state: 0 }, 90_000),
  )
  await bulkLoad($client, employees)
  const rows = $client.prepare<[], Employee>('SELECT * FROM employees').all()
  $client.close()
  return rows
}

/** Writes while somebody else reads from a snapshot: the log grows, and is cut off behind it. */
async function growLog(path: string, storm: WriteStorm, url: string): Promise<void> {
  const reader = new Sqlite(path, { readonly: true })
  reader.exec('BEGIN; SELECT * FROM employees LIMIT 1')
  await storm.run(url, () => statSync(`${path}-wal`).size > LONG_LOG_BYTES)
  reader.close()
}
