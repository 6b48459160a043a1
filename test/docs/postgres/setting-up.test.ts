import t, { type Test } from 'tap'
import { codeBlocks, documented } from '../../support/documented.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { Service } from '../../support/service.js'
import { Workplace } from '../../support/workplace.js'

t.test('the service starts over a database that was made as the docs say', async (t) => {
  const server = await serverAsDocumented(t)
  const [, url = '', host = ''] =
    /^DATABASE_URL=(\S+@(\S+?),\S+) npm start\n$/.exec(documented('starting over PostgreSQL')) ?? []
  const service = await Service.start(t, {
    DATABASE_URL: urlOf(server, url),
    VIEW_MAX_STALENESS_MS: '50',
  })
  t.match(host, /:5432$/)

  await fetch(`${service.url}/employees/high-salary`)
  const { headers } = await fetch(`${service.url}/employees/high-salary`)
  const shown = documented('an answer that may lag')
    .trim()
    .replace(/ttl=\d+/, 'ttl=300')
  t.equal(`Cache-Status: ${headers.get('cache-status')}`, shown)
  t.equal(await service.stop(), 0)
})

t.test('a SQLite database moves there as the docs say', async (t) => {
  const server = await serverAsDocumented(t)
  const { text: command = '' } =
    codeBlocks.find(({ text }) => text.startsWith('npm run move')) ?? {}
  const [, options = ''] = command.trim().split(' -- ')
  const [from = '', file = '', to = '', url = ''] = options.split(' ')
  t.match(file, /^file:/)

  const work = await Workplace.create(t, 'sqlite')
  await (await work.shell()).run("INSERT INTO employees VALUES (1, 'A', 1, 'E'), (2, 'B', 1, 'E')")
  const { code, stdout } = await work.run('move', from, work.databaseUrl, to, urlOf(server, url))
  t.equal(code, 0)
  const shape = (text: string) =>
    text.replaceAll(/[0-9a-f]{64}/g, 'sum').replaceAll(/[\d.,]*\d/g, 'number')
  t.equal(shape(stdout), shape(documented('what a move says')))
})

/** A server with the role and the database of the docs. */
async function serverAsDocumented(t: Test): Promise<PostgresServer> {
  const server = await PostgresServer.start(t)
  const admin = await server.client()
  for (const statement of documented('a database for it').split(/(?<=;)\n/)) {
    if (statement.trim() !== '') await admin.query(statement)
  }
  return server
}

function urlOf(server: PostgresServer, url: string): string {
  return url.replace(/@[^/]+/, `@127.0.0.1:${server.port}`)
}
