import { openDatabase } from '../../src/store/open.js'
import { newDatabase } from './any-database.js'
import type { Scope } from './scope.js'
import { openShell, type Shell } from './shell.js'

/** A shell on a new database with all that the service puts into it, and no employees. */
export async function emptyDatabase(scope: Scope, at?: string): Promise<Shell> {
  const url = at ?? (await newDatabase(scope))
  await (await openDatabase(url)).close()
  return openShell(scope, url)
}
