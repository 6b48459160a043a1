// slow: each start is a process
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import { testFailedStarts } from '../../support/failed-start.js'

testFailedStarts([
  {
    what: 'a directory as database',
    code: 1,
    says: /^DATABASE_URL=file:\S+\/folder is a directory: name a file, like file:\S+\/folder\/employees\.db$/,
    env: async (_t, directory) => {
      await mkdir(join(directory, 'folder'))
      return { DATABASE_URL: `file:${join(directory, 'folder')}` }
    },
  },
  {
    what: 'a text as database',
    code: 1,
    says: /^DATABASE_URL=file:\S+\/notes\.txt is no SQLite database: name another file, /,
    env: async (_t, directory) => {
      await writeFile(join(directory, 'notes.txt'), 'These are notes, and no more.\n'.repeat(100))
      return { DATABASE_URL: `file:${join(directory, 'notes.txt')}` }
    },
  },
  {
    what: 'a folder that cannot be made',
    code: 1,
    says: /^DATABASE_URL=file:\/dev\/null\/in\/it\.db: its folder cannot be made, .*\(ENOTDIR/,
    env: () => ({ DATABASE_URL: 'file:/dev/null/in/it.db' }),
  },
  {
    what: 'a file that cannot be made',
    code: 1,
    says: /^DATABASE_URL=file:x{300}: the file cannot be made, .*\(ENAMETOOLONG/,
    env: () => ({ DATABASE_URL: `file:${'x'.repeat(300)}` }),
  },
  {
    what: 'a database whose text is in UTF-16',
    code: 1,
    says: /^DATABASE_URL=file:\S+ has its text in UTF-16le, and must have it in UTF-8: name another file /,
    env: (_t, directory) => {
      const statements = "PRAGMA encoding = 'UTF-16le'; CREATE TABLE something (a)"
      return { DATABASE_URL: altered(directory, statements) }
    },
  },
  {
    what: 'a database of another program',
    code: 1,
    says: /^DATABASE_URL=file:\S+ is of another program, .* \(table employees already exists\)$/,
    env: (_t, directory) => ({ DATABASE_URL: altered(directory, 'CREATE TABLE employees (a)') }),
  },
  {
    what: 'a database of a newer release, which this one cannot use',
    code: 1,
    says: /^DATABASE_URL=file:\S+ is of a newer release, by its migration 9999_names\.sql: start /,
    env: (_t, directory) => ({
      DATABASE_URL: newer(directory, 'ALTER TABLE idempotency_keys RENAME body_hash TO hash'),
    }),
  },
  {
    what: 'a database without one of its secrets',
    code: 1,
    says: /^The table "secrets" .* no row "\w+" any more: restore it, or .*INSERT INTO secrets /,
    env: (_t, directory) => {
      openSqlite(`file:${join(directory, 'some.db')}`).$client.close()
      return { DATABASE_URL: altered(directory, 'DELETE FROM secrets'), WEB_CONCURRENCY: '1' }
    },
  },
])

/** The URL of a database in which somebody ran SQL. */
function altered(directory: string, sql: string): string {
  const path = join(directory, 'some.db')
  const client = new Sqlite(path)
  client.exec(sql)
  client.close()
  return `file:${path}`
}

/** Of one that a later release has migrated. */
function newer(directory: string, sql: string): string {
  openSqlite(`file:${join(directory, 'some.db')}`).$client.close()
  return altered(directory, `${sql}; INSERT INTO migrations VALUES ('9999_names.sql', 'later')`)
}
