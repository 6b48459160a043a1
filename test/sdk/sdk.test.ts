// slow: it generates clients, compiles them, and installs the generators at first
// no database: a client is made of the contract, which is the same
import t, { type Test } from 'tap'
import { newDatabase } from '../support/any-database.js'
import { operations } from '../support/contract.js'
import { documented } from '../support/documented.js'
import { entries, writeKey } from '../support/keys.js'
import { post } from '../support/requests.js'
import { Service } from '../support/service.js'
import { ClientProject, install, OPENAPI } from './generators.js'

// The first run installs the generators.
t.setTimeout(300_000)
await install()

t.test(
  'openapi-typescript makes types that openapi-fetch reads, writes and fails by',
  async (t) => {
    const { project, url } = await start(t, ['openapi-fetch/scenario.ts'])
    await project.generate('openapi-typescript', OPENAPI, '-o', 'openapi-fetch/client/schema.ts')
    t.equal(await project.compile(), '')
    await project.run('openapi-fetch/scenario.js', url)
  },
)

t.test('@hey-api/openapi-ts makes a client that reads, writes and fails as promised', async (t) => {
  const files = ['hey-api/scenario.ts']
  const { project, url } = await start(t, files, { exactOptionalPropertyTypes: false })
  await project.generate('openapi-ts', '-i', OPENAPI, '-o', 'hey-api/client', '--no-log-file')
  t.equal(await project.compile(), '')
  await project.run('hey-api/scenario.js', url)
})

t.test('orval makes a client that reads, writes and fails as promised', async (t) => {
  const { project, url } = await start(t, ['orval/scenario.ts'])
  const output = { target: 'client/client.ts', client: 'fetch', baseUrl: url }
  const config = { employees: { input: OPENAPI, output } }
  await project.write('orval/orval.config.cjs', `module.exports = ${JSON.stringify(config)}`)
  await project.generate('orval', '--config', 'orval/orval.config.cjs')
  t.equal(await project.compile(), '')
  await project.run('orval/scenario.js', url)
})

t.test('the example of the docs compiles, and runs with keys and without', async (t) => {
  const { project, url, DATABASE_URL } = await start(t)
  const ada = JSON.stringify({ name: 'Ada Lovelace', salary: 180000, department: 'Engineering' })
  for (let count = 0; count < 101; count++) await post(url, ada)
  await project.write('example.ts', documented('SDK example'))
  await project.generate('openapi-typescript', OPENAPI, '-o', 'schema.ts')
  t.equal(await project.compile(), '')
  const everybody = /^1 Ada Lovelace\n[\s\S]*\n101 Ada Lovelace\n/
  const said = await project.run('example.js', url)
  t.match(said, everybody)
  t.match(said, 'salary: 181000')

  const guarded = await Service.start(t, { DATABASE_URL, API_KEYS: entries })
  const told = await project.run('example.js', guarded.url, writeKey)
  t.match(told, everybody)
  t.match(told, 'salary: 182000')
  await t.rejects(project.run('example.js', guarded.url), { message: /Send a key/ })
})

t.test('the commands that the docs have for generators make clients', async (t) => {
  const { project, url } = await start(t, [], { exactOptionalPropertyTypes: false })
  for (const command of documented('generators')
    .replaceAll('http://127.0.0.1:3000', url)
    .trim()
    .split('\n'))
    await project.npx(command)
  t.equal(await project.compile(), '')
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
async function start(t: Test, files: string[] = [], laxer = {}) {
  const project = await ClientProject.create(t, laxer)
  for (const file of ['typed.ts', 'paging.ts', ...files]) await project.copy(file)
  const names = Object.fromEntries(operations.map(({ name }) => [name, true]))
  await project.write('operations.ts', `export const published = ${JSON.stringify(names)} as const`)
  const DATABASE_URL = await newDatabase(t)
  const { url } = await Service.start(t, { DATABASE_URL })
  return { project, url, DATABASE_URL }
}
