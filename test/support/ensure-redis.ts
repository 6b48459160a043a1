import { spawnSync } from 'node:child_process'
import { redisProgram } from './redis-server.js'

/**
 * Sees to it that the tests have a Redis to start, or stops with the line that installs one. With
 * REDIS_URL too: a Redis of somebody else's is not for killing.
 */
if (!redisProgram) {
  const hasApt = spawnSync('apt-get', ['--version']).status === 0
  if (!(hasApt && process.getuid?.() === 0 && installed())) {
    console.error(
      'The tests need a Redis server: "sudo apt-get install redis-server" or "brew install redis"',
    )
    process.exit(1)
  }
}

function installed(): boolean {
  console.log('Installing redis-server, which the tests start for themselves')
  // RUNLEVEL=1: Debian must not start a Redis that nobody asked for.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'] as const }
  const install = ['install', '--yes', '--no-install-recommends', 'redis-server']
  return [['update'], install].every(
    (args) => spawnSync('apt-get', args, { ...options, stdio: [...options.stdio] }).status === 0,
  )
}
