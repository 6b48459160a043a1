// slow: it starts the service as processes
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import { temporaryDirectory } from '../../support/build.js'
import { until } from '../../support/until.js'
import { Workers } from '../../support/workers.js'

const skip = process.platform === 'win32' && 'Windows has no modes'

for (const processes of [1, 2]) {
  t.test(`an exposed database is one line of the log, of ${processes}`, { skip }, async (t) => {
    const path = join(await temporaryDirectory(t), 'employees.db')
    openSqlite(`file:${path}`).$client.close()
    chmodSync(path, 0o644)
    const env = { DATABASE_URL: `file:${path}`, WEB_CONCURRENCY: `${processes}` }
    const service = await Workers.spawn(t, env)
    await until(() => service.pids.length === processes)
    const lines = service.said('others than the owner may read or change the database')
    t.equal(lines.length, 1)
    t.match(lines, [{ 'log.level': 'warn', files: [path] }])
  })
}

for (const processes of [1, 2]) {
  t.test(`a database that was made is one line of the log, of ${processes}`, async (t) => {
    const path = join(await temporaryDirectory(t), 'mistyped', 'employees.db')
    for (const made of [[{ 'log.level': 'info', 'file.path': path }], []]) {
      const env = { DATABASE_URL: `file:${path}`, WEB_CONCURRENCY: `${processes}` }
      const service = await Workers.spawn(t, env)
      await until(() => service.pids.length === processes)
      t.match(service.said('a new database was made'), made)
      t.equal(service.said('a new database was made').length, made.length)
      service.process.kill('SIGTERM')
      await service.exit
    }
  })
}
