import { spawnSync } from 'node:child_process'

/** Installs a package where that needs nobody's leave, as root of a Debian; says whether it is there now. */
export function installPackage(debianPackage: string): boolean {
  const hasApt = spawnSync('apt-get', ['--version']).status === 0
  if (!hasApt || process.getuid?.() !== 0) return false
  console.log(`Installing ${debianPackage}, which the tests start for themselves`)
  // RUNLEVEL=1: Debian must not start a server that nobody asked for.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'] as const }
  const install = ['install', '--yes', '--no-install-recommends', debianPackage]
  return [['update'], install].every(
    (args) => spawnSync('apt-get', args, { ...options, stdio: [...options.stdio] }).status === 0,
  )
}
