import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import { secretFor } from '../../../src/store/sqlite/secrets.js'
import { temporaryDirectory } from '../../support/build.js'
import { memoryDatabase } from '../../support/memory-database.js'

t.test('whoever opens a database has its secret, today and tomorrow', async (t) => {
  const url = `file:${join(await temporaryDirectory(t), 'employees.db')}`
  const secrets = [1, 2, 3].map(() => {
    const { $client: client } = openSqlite(url)
    t.teardown(() => client.close())
    return secretFor(client, 'cache_entries')
  })
  t.equal(secrets[0]?.length, 32)
  t.strictSame(secrets[1], secrets[0])
  t.strictSame(secrets[2], secrets[0])
})

t.test('each database has a secret of its own', async (t) => {
  const [one, other] = [1, 2].map(() => secretFor(memoryDatabase(t), 'cache_entries'))
  t.notSame(one, other)
})

t.test('a secret that is gone is not made anew', async (t) => {
  const client = memoryDatabase(t)
  client.exec('DELETE FROM secrets')
  t.throws(() => secretFor(client, 'cache_entries'), /no row "cache_entries"/)
})
