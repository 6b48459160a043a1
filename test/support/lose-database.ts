import type { AnyDatabase } from '../../src/store/open.js'
import { queryOnce } from './postgres-client.js'

/** Takes its database from a service, for good; who is connected to a server is told so. */
export async function loseDatabase(db: AnyDatabase, url: string): Promise<void> {
  if (db.dialect === 'sqlite') {
    db.drizzle.$client.close()
    return
  }
  const { pathname } = new URL(url)
  const another = Object.assign(new URL(url), { pathname: '/postgres' })
  await queryOnce(another.href, `DROP DATABASE ${pathname.slice(1)} WITH (FORCE)`)
}
