// no database: it is of SQLite
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { backUp } from '../../src/store/sqlite/backup.js'
import { buildOverRedis, temporaryDirectory } from '../support/build.js'
import { documented } from '../support/documented.js'
import { redisUrl } from '../support/redis-server.js'
import { shellOf } from '../support/shell.js'
import { createUntilChanged, expectedRows, shownViews } from '../support/shown-views.js'
import { sqliteOf } from '../support/sqlite-of.js'

t.test('what is restored meets a Redis with entries of later, and is never stale', async (t) => {
  const redis = await redisUrl(t)
  const place = await temporaryDirectory(t)
  mkdirSync(join(place, 'data'))
  const databaseUrl = `file:${join(place, 'data/employees.db')}`
  const before = await buildOverRedis(t, { redisUrl: redis, databaseUrl })
  const create = (app: typeof before) => (payload: object) =>
    app.inject({ method: 'POST', url: '/employees', payload })
  const shell = await shellOf(t, before)
  for (const { view, path } of shownViews) {
    await createUntilChanged(shell, view, create(before))
    await before.inject(path)
  }
  const kept = new Map<string, string>()
  for (const { path } of shownViews) kept.set(path, (await before.inject(path)).body)
  await backUp(databaseUrl, join(place, 'employees-backup.db'))

  const later = new Map<string, string>()
  for (const { view, path } of shownViews) {
    await createUntilChanged(shell, view, create(before))
    await before.inject(path)
  }
  for (const { path } of shownViews) {
    const { headers, body } = await before.inject(path)
    t.not(body, kept.get(path))
    later.set(path, headers.etag as string)
  }
  await before.close()
  execFileSync('sh', ['-ec', documented('restoring a backup')], { cwd: place })

  const after = await buildOverRedis(t, { redisUrl: redis, databaseUrl })
  const restored = await shellOf(t, after)
  for (const { path } of shownViews) {
    const headers = { 'if-none-match': later.get(path) as string }
    const { statusCode, body } = await after.inject({ url: path, headers })
    t.equal(statusCode, 200, path)
    t.equal(body, kept.get(path), path)
  }
  for (const { view, path } of shownViews) {
    await createUntilChanged(restored, view, create(after))
    const rows = (await after.inject(path)).json()
    t.strictSame(rows, await expectedRows(restored, view), path)
  }
  t.equal(sqliteOf(after.db).pragma('integrity_check', { simple: true }), 'ok')
})
