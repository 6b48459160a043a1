import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, readFileSync, statfsSync } from 'node:fs'
import { appendFile, chmod, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ACCOUNT, postgresProgram, runAsServer } from './postgres-program.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'

/** Lines of postgresql.conf. */
export type Settings = Record<string, string | number>

/** The file system of Linux that is in memory. A container gives it 64 MB. */
const MEMORY = '/dev/shm'
const ROOM_BYTES = 2 ** 31

/** What a line of postmaster.pid says; the others are not needed here. */
const PID_LINE = 0
const SHARED_MEMORY_LINE = 6
const STATUS_LINE = 7

/** A directory that the server may write to; in memory if there is room. */
export async function serverDirectory(scope: Scope, onDisk = false): Promise<string> {
  const directory = await temporaryDirectory(scope, onDisk || !hasRoom(MEMORY) ? tmpdir() : MEMORY)
  const { uid, gid } = ACCOUNT
  if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid)
  return directory
}

function hasRoom(folder: string): boolean {
  if (!existsSync(folder)) return false
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize > ROOM_BYTES
}

/** Makes the data of a new server in the folder `data`, for a superuser named postgres. */
export async function initialize(directory: string, password: string): Promise<void> {
  const file = join(directory, 'password')
  await writeFile(file, password)
  await chmod(file, 0o644)
  await runAsServer(
    directory,
    postgresProgram('initdb'),
    '--pgdata=data',
    '--username=postgres',
    '--pwfile=password',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  )
}

/** Where a setting is there twice, the later one is good. */
export async function addSettings(data: string, settings: Settings): Promise<void> {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${`${value}`.replaceAll("'", "''")}'\n`,
  )
  await appendFile(join(data, 'postgresql.conf'), lines.join(''))
}

/** Whether a postmaster accepts connections. */
export function isReady(data: string, postmaster: number | undefined): boolean {
  const lines = postmasterFile(data)
  return Number(lines[PID_LINE]) === postmaster && lines[STATUS_LINE]?.trim() === 'ready'
}

/** Removes what a server that was killed has left behind in the system. */
export function removeSharedMemory(data: string): void {
  const [, id] = postmasterFile(data)[SHARED_MEMORY_LINE]?.trim().split(/\s+/) ?? []
  if (id) spawnSync('ipcrm', ['-m', id])
}

/** Its lines; none unless a server runs, or was killed. */
function postmasterFile(data: string): string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}
