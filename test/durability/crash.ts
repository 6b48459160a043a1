import { setTimeout as delay } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import type { Employee } from '../../src/employees/schemas.js'
import { oracles } from '../support/oracles.js'
import type { Scope } from '../support/scope.js'
import { Service } from '../support/service.js'
import { sqliteShell } from '../support/shell.js'
import { expectedRows, shownViews } from '../support/shown-views.js'

const WRITERS = 8

/** What one writer knows of its employee. */
interface Known {
  /** As the last acknowledgement said; undefined: it was deleted, or never created. */
  acknowledged: Employee | undefined
  /** What it would be if the write under way when the service died was made; undefined: none was. */
  pending: { result: Partial<Employee> | undefined } | undefined
}

export interface CrashReport {
  cycles: number
  acknowledged: number
  lost: string[]
}

/**
 * Kills the service with SIGKILL at random moments of a write storm, again and again over one
 * database, and looks after each: what was acknowledged is there, what was not is there whole or not
 * at all, the file is sound, and both views are what plain SQL says.
 */
export async function runCrashes(scope: Scope, path: string, cycles: number): Promise<CrashReport> {
  const report: CrashReport = { cycles, acknowledged: 0, lost: [] }
  const known: Known[] = Array.from({ length: WRITERS }, () => ({
    acknowledged: undefined,
    pending: undefined,
  }))
  const env = { DATABASE_URL: `file:${path}`, LOG_LEVEL: 'info' }
  for (let cycle = 0; cycle < cycles; cycle++) {
    const service = await Service.start(scope, env)
    await compareViews(service.url, path, report)
    const storm = known.map((own, writer) => write(service.url, writer, own, report))
    await delay(20 + Math.random() * 300)
    await service.stop('SIGKILL')
    await Promise.all(storm)
    inspect(path, known, report)
  }
  return report
}

/** Writes until the service is gone. */
async function write(url: string, writer: number, own: Known, report: CrashReport): Promise<void> {
  for (let n = 0; ; n++) {
    const current = own.acknowledged
    const body = { name: `writer ${writer}`, salary: 100_000 + n, department: `${n % 3}` }
    try {
      if (!current) {
        own.pending = { result: body }
        own.acknowledged = (await send(`${url}/employees`, 'POST', body)) as Employee
      } else if (n % 10 === 9) {
        own.pending = { result: undefined }
        await send(`${url}/employees/${current.id}`, 'DELETE')
        own.acknowledged = undefined
      } else {
        own.pending = { result: { ...current, ...body } }
        own.acknowledged = (await send(`${url}/employees/${current.id}`, 'PUT', body)) as Employee
      }
    } catch {
      return
    }
    own.pending = undefined
    report.acknowledged++
  }
}

async function send(url: string, method: string, body?: object): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body ? JSON.stringify(body) : null,
  })
  if (answer.status >= 400) throw new Error(`${method} ${url} gave ${answer.status}`)
  return answer.json()
}

/** Compares the file with what the writers know, and has them know what is there. */
function inspect(path: string, known: Known[], report: CrashReport): void {
  const database = new Sqlite(path)
  const integrity = database.pragma('integrity_check', { simple: true })
  if (integrity !== 'ok') report.lost.push(`integrity_check: ${integrity}`)
  const rows = database.prepare('SELECT id, name, salary, department FROM employees').all()
  database.close()
  for (const [writer, own] of known.entries()) {
    const mine = (rows as Employee[]).filter(({ name }) => name === `writer ${writer}`)
    const possible = [own.acknowledged, ...(own.pending ? [own.pending.result] : [])]
    if (mine.length > 1 || !possible.some((state) => same(state, mine[0]))) {
      report.lost.push(
        `writer ${writer}: ${JSON.stringify(mine)} is none of ${JSON.stringify(possible)}`,
      )
    }
    own.acknowledged = mine[0]
    own.pending = undefined
  }
}

function same(expected: Partial<Employee> | undefined, actual: Employee | undefined): boolean {
  if (!expected || !actual) return expected === actual
  // A create that was not answered has an id that nobody knows.
  const id = expected.id ?? actual.id
  return JSON.stringify(order({ ...expected, id })) === JSON.stringify(order(actual))
}

function order({ id, name, salary, department }: Partial<Employee>) {
  return [id, name, salary, department]
}

async function compareViews(url: string, path: string, report: CrashReport): Promise<void> {
  const database = new Sqlite(path, { readonly: true })
  const shell = sqliteShell(database)
  for (const { view, path } of shownViews) {
    const rows = await (oracles[view.name]?.(shell) ?? expectedRows(shell, view))
    const expected = JSON.stringify(rows)
    const served = await (await fetch(`${url}${path}`)).text()
    if (served !== expected) report.lost.push(`${view.name}: ${served} is not ${expected}`)
  }
  database.close()
}
