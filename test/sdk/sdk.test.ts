// slow: it generates clients, compiles them, and installs the generators at first
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { operations } from '../support/contract.js'
import { post } from '../support/requests.js'
import { Service } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { ClientProject, install, OPENAPI } from './generators.js'

// The first run installs the generators.
t.setTimeout(300_000)
await install()

t.test(
  'openapi-typescript makes types that openapi-fetch reads, writes and fails by',
  async (t) => {
    const { project, url } = await start(t, 'openapi-fetch/scenario.ts')
    await project.generate('openapi-typescript', OPENAPI, '-o', 'openapi-fetch/client/schema.ts')
    t.equal(await project.compile(), '')
    await project.run('openapi-fetch/scenario.js', url)
  },
)

t.test('@hey-api/openapi-ts makes a client that reads, writes and fails as promised', async (t) => {
  const { project, url } = await start(t, 'hey-api/scenario.ts')
  await project.generate('openapi-ts', '-i', OPENAPI, '-o', 'hey-api/client', '--no-log-file')
  t.equal(await project.compile(), '')
  await project.run('hey-api/scenario.js', url)
})

t.test('orval makes a client that reads, writes and fails as promised', async (t) => {
  const { project, url } = await start(t, 'orval/scenario.ts')
  const output = { target: 'client/client.ts', client: 'fetch', baseUrl: url }
  const config = { employees: { input: OPENAPI, output } }
  await project.write('orval/orval.config.cjs', `module.exports = ${JSON.stringify(config)}`)
  await project.generate('orval', '--config', 'orval/orval.config.cjs')
  t.equal(await project.compile(), '')
  await project.run('orval/scenario.js', url)
})

t.test("the README's example compiles and runs", async (t) => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /```ts\n(import createClient [\s\S]*?)```/.exec(readme) ?? []
  const { project, url } = await start(t)
  const ada = JSON.stringify({ name: 'Ada Lovelace', salary: 180000, department: 'Engineering' })
  for (let count = 0; count < 101; count++) await post(url, ada)
  await project.write('example.ts', example)
  await project.generate('openapi-typescript', OPENAPI, '-o', 'schema.ts')
  t.equal(await project.compile(), '')
  const said = await project.run('example.js', url)
  t.match(said, /^1 Ada Lovelace\n[\s\S]*\n101 Ada Lovelace\n[\s\S]*salary: 181000/)
})

t.test('an any in the types of a client does not pass the compiler', async (t) => {
  const project = await ClientProject.create(t)
  await project.copy('typed.ts')
  const source = 'export const typed: Typed<{ data: any; error: string }> = true'
  await project.write(
    'any.ts',
    `import type { Typed } from './typed.js'
${source}
`,
  )
  t.match(await project.compile(), /any\.ts.*Type 'true' is not assignable to type '"data"'/)
})

/** A new project with the files of a scenario, and a service with an empty database. */
async function start(t: Test, ...files: string[]) {
  const project = await ClientProject.create(t)
  for (const file of ['typed.ts', 'paging.ts', ...files]) await project.copy(file)
  const names = Object.fromEntries(operations.map(({ name }) => [name, true]))
  await project.write('operations.ts', `export const published = ${JSON.stringify(names)} as const`)
  const DATABASE_URL = `file:${join(await temporaryDirectory(t), 'employees.db')}`
  const { url } = await Service.start(t, { DATABASE_URL })
  return { project, url }
}
