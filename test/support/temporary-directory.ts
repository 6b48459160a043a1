import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './scope.js'

/** A directory of this test's own. */
export async function temporaryDirectory(scope: Scope, parent = tmpdir()): Promise<string> {
  const directory = await mkdtemp(join(parent, 'employees-'))
  scope.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}
