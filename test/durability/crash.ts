import { setTimeout as delay } from 'node:timers/promises'
import type { Employee } from '../../src/employees/schemas.js'
import { oracles } from '../support/oracles.js'
import { type Scope, scoped } from '../support/scope.js'
import { Service } from '../support/service.js'
import { openShell, type Shell } from '../support/shell.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { until } from '../support/until.js'

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
 * at all, a file is sound, and both views are what plain SQL says.
 */
export async function runCrashes(scope: Scope, url: string, cycles: number): Promise<CrashReport> {
  const report: CrashReport = { cycles, acknowledged: 0, lost: [] }
  const known: Known[] = Array.from({ length: WRITERS }, () => ({
    acknowledged: undefined,
    pending: undefined,
  }))
  const env = { DATABASE_URL: url, LOG_LEVEL: 'info' }
  for (let cycle = 0; cycle < cycles; cycle++) {
    const service = await Service.start(scope, env)
    await inShell(url, (shell) => compareViews(service.url, shell, report))
    const storm = known.map((own, writer) => write(service.url, writer, own, report))
    await delay(20 + Math.random() * 300)
    await service.stop('SIGKILL')
    await Promise.all(storm)
    await inShell(url, (shell) => inspect(shell, known, report))
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

/** Only for as long as it takes: a file that nobody has open is recovered when it is opened. */
function inShell(url: string, work: (shell: Shell) => Promise<void>): Promise<void> {
  return scoped(async (scope) => work(await openShell(scope, url)))
}

/** Compares the database with what the writers know, and has them know what is there. */
async function inspect(shell: Shell, known: Known[], report: CrashReport): Promise<void> {
  if (shell.dialect === 'sqlite') report.lost.push(...(await faultsOf(shell)))
  else await until(() => isAlone(shell))
  const rows = await shell.all<Employee>('SELECT id, name, salary, department FROM employees')
  for (const [writer, own] of known.entries()) {
    const mine = rows.filter(({ name }) => name === `writer ${writer}`)
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

/** Of a file. */
async function faultsOf(shell: Shell): Promise<string[]> {
  const said = await shell.all<{ integrity_check: string }>('PRAGMA integrity_check')
  return said.map((line) => line.integrity_check).filter((line) => line !== 'ok')
}

/** What the service that was killed has sent is still done, if its commit was in it. */
async function isAlone(shell: Shell): Promise<boolean> {
  const others = await shell.all(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND backend_type = 'client backend'`,
  )
  return others.length === 0
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

async function compareViews(url: string, shell: Shell, report: CrashReport): Promise<void> {
  for (const { view, path } of shownViews) {
    const rows = await (oracles[view.name]?.(shell) ?? expectedRows(shell, view))
    const expected = JSON.stringify(rows)
    const served = await (await fetch(`${url}${path}`)).text()
    if (served !== expected) report.lost.push(`${view.name}: ${served} is not ${expected}`)
  }
}
