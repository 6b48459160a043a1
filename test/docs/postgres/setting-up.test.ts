import t from 'tap'
import { documented } from '../../support/documented.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { Service } from '../../support/service.js'

t.test('the service starts over a database that was made as the docs say', async (t) => {
  const server = await PostgresServer.start(t)
  const admin = await server.client()
  for (const statement of documented('a database for it').split(/(?<=;)\n/)) {
    if (statement.trim() !== '') await admin.query(statement)
  }
  const [, url = '', host = ''] =
    /^DATABASE_URL=(\S+@(\S+?),\S+) npm start\n$/.exec(documented('starting over PostgreSQL')) ?? []
  const service = await Service.start(t, {
    DATABASE_URL: url.replace(/@[^/]+/, `@127.0.0.1:${server.port}`),
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
