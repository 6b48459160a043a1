// slow: requests wait for a server
import t from 'tap'
import { FaultProxy } from '../../support/fault-proxy.js'
import { queryOnce } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { Service } from '../../support/service.js'

const PATHS = ['/readyz', '/employees/1', '/employees?limit=1', '/employees/high-salary']
const FLOOD = 50

t.test('an outage is a line a second, with how many requests it was, and no stack', async (t) => {
  const proxy = await FaultProxy.start(t, await postgresDatabase(t))
  const service = await Service.start(t, { DATABASE_URL: proxy.url })
  proxy.fault = 'refuse'
  const started = performance.now()
  for (let round = 0; round < 3; round++) {
    const statuses = await ask(service, FLOOD)
    t.ok(statuses.length === FLOOD * PATHS.length && statuses.every((status) => status === 503))
  }
  const seconds = (performance.now() - started) / 1000
  t.equal(await service.stop(), 0)

  const lines = linesOf(service)
  t.ok(lines.length > 1 && lines.length <= 2 * (seconds + 1), `${lines.length} in ${seconds} s`)
  const told = lines.reduce((sum, { leftOut = 1 }) => sum + leftOut, 0)
  t.equal(told, 3 * FLOOD * PATHS.length)
  for (const line of lines) {
    t.match(line, { 'error.code': 'DATABASE_UNAVAILABLE' })
    t.notMatch(JSON.stringify(line), /stack|node_modules/)
  }
  t.match(lines[0], {
    message: 'request failed',
    'http.request.id': String,
    'http.request.method': 'GET',
    'http.route': /^\//,
    'error.message': /^The database cannot do this now \(/,
  })
})

t.test('what nobody foresaw is a line each, with its stack', async (t) => {
  const url = await postgresDatabase(t)
  const service = await Service.start(t, { DATABASE_URL: url })
  await queryOnce(url, 'ALTER TABLE employees RENAME TO elsewhere')
  const statuses: number[] = []
  for (let i = 0; i < 20; i++) {
    statuses.push((await fetch(`${service.url}/employees/${i + 1}`)).status)
  }
  t.strictSame(new Set(statuses), new Set([500]))
  t.equal(await service.stop(), 0)
  const lines = linesOf(service)
  t.equal(lines.length, 20)
  for (const line of lines)
    t.match(line, { message: 'request failed', 'error.stack_trace': /elsewhere|employees/ })
})

/** The statuses of so many requests for each path, at once. */
async function ask({ url }: Service, count: number): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, () => PATHS)
      .flat()
      .map(async (path) => {
        const answer = await fetch(url + path)
        await answer.arrayBuffer()
        return answer.status
      }),
  )
}

function linesOf({ errors }: Service) {
  return errors.map((line) => JSON.parse(line))
}
