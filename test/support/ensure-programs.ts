import { spawnSync } from 'node:child_process'
import { CHROMIUM_NEEDED, chromiumProgram } from './browser.js'
import { redisProgram } from './redis-server.js'

const REDIS_NEEDED =
  'The tests need a Redis server: "sudo apt-get install redis-server" or "brew install redis"'

/**
 * Sees to it that the tests have a Redis to start, or stops with the line that installs one. With
 * REDIS_URL too: a Redis of somebody else's is not for killing. A browser, which is large, is seen to
 * where CI is set; elsewhere the tests that want one are skipped without it.
 */
if (!redisProgram) ensure('redis-server', REDIS_NEEDED)
if (!chromiumProgram && process.env.CI) ensure('chromium', CHROMIUM_NEEDED)

function ensure(debianPackage: string, message: string): void {
  const hasApt = spawnSync('apt-get', ['--version']).status === 0
  if (hasApt && process.getuid?.() === 0 && installed(debianPackage)) return
  console.error(message)
  process.exit(1)
}

function installed(debianPackage: string): boolean {
  console.log(`Installing ${debianPackage}, which the tests start for themselves`)
  // RUNLEVEL=1: Debian must not start a Redis that nobody asked for.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'] as const }
  const install = ['install', '--yes', '--no-install-recommends', debianPackage]
  return [['update'], install].every(
    (args) => spawnSync('apt-get', args, { ...options, stdio: [...options.stdio] }).status === 0,
  )
}
