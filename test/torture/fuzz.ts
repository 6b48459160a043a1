import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Command, InvalidArgumentError } from 'commander'
import fc from 'fast-check'
import { EXIT, run } from '../../src/commands/command.js'
import { faultOf } from '../support/contract.js'
import { type Scope, scoped } from '../support/scope.js'
import { servedRoutes } from '../support/served-routes.js'
import { Service } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { residentBytes } from './clients.js'
import { type Question, questions } from './questions.js'

interface Options {
  requests: number
  seed: number
}

const command = new Command('npm run fuzz --')
  .description(
    'Asks a service of its own whatever comes to mind, and compares it with its contract. Over SQLite alone.',
  )
  .option('--requests <number>', 'how many', integer, 50_000)
  .option('--seed <number>', 'the same one asks the same again', integer, Date.now() % 2 ** 31)
  .addHelpText('after', '\nIt fails if something was not as promised, or the process died.')
  .action(async (options: Options) => {
    const isGood = await scoped((scope) => fuzz(scope, options))
    process.exitCode = isGood ? EXIT.ok : EXIT.failed
  })

const BATCH = 20
/** Many times what it has after a few thousand requests would be no more than that. */
const MAX_RSS = 400e6

const question = questions(await servedRoutes())

await run(command)

/** Says whether all was as promised. */
async function fuzz(scope: Scope, { requests, seed }: Options): Promise<boolean> {
  const path = join(await temporaryDirectory(scope), 'employees.db')
  const service = await Service.start(scope, { DATABASE_URL: `file:${path}` })
  const agent = new Agent({ keepAlive: true, maxSockets: BATCH })
  scope.teardown(() => agent.destroy())
  const statuses: Record<string, number> = {}
  const faults: string[] = []
  const memory: number[] = []
  const ask = async (question: Question) => {
    const { method, path: url, headers, body } = question
    const bytes = Buffer.from(body, 'latin1')
    const length = bytes.length > 0 ? { 'content-length': bytes.length } : {}
    const options = { agent, method, path: url, headers: { ...headers, ...length } }
    const asking = request(service.url, options).end(bytes)
    // What the parser refused has a body, and Node's client expects none for HEAD.
    asking.on('error', () => {})
    const fault = await once(asking, 'response').then(
      async ([response]) => {
        const { statusCode: status, headers } = response as IncomingMessage
        statuses[`${status}`] = (statuses[`${status}`] ?? 0) + 1
        const answer = { method, url, status: status ?? 0, headers, body: await buffer(response) }
        return answer.status >= 500 ? `a ${status}: ${answer.body}` : faultOf(answer)
      },
      (error) => `no answer: ${error}`,
    )
    if (fault) faults.push(`${fault}: ${JSON.stringify(question)}`)
  }
  const isAlive = () => service.process.exitCode === null && service.process.signalCode === null
  for (let asked = 0; asked < requests && isAlive(); asked += BATCH) {
    await Promise.all(fc.sample(question, { seed: seed + asked, numRuns: BATCH }).map(ask))
    if (asked % 1000 === 0) memory.push(residentBytes(service.process.pid))
  }
  const megabytes = [0.1, 0.25, 0.5, 0.75].map(
    (part) => memory[Math.floor(part * memory.length)] ?? 0,
  )
  megabytes.push(Math.max(...memory))
  console.table(statuses)
  console.log(
    `seed ${seed}, ${faults.length} faults, ${service.errors.length} errors in the log; RSS`,
  )
  console.log(`(MB), at the end at most: ${megabytes.map((bytes) => Math.round(bytes / 1e6))}`)
  for (const line of [...faults, ...service.errors].slice(0, 20)) console.log(line)
  return isAlive() && faults.length + service.errors.length === 0 && Math.max(...memory) < MAX_RSS
}

function integer(value: string): number {
  if (/^\d+$/.test(value)) return Number(value)
  throw new InvalidArgumentError('it must be a whole number')
}
