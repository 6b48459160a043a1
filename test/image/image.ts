import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { EXIT, run } from '../../src/commands/command.js'
import { type Scope, scoped } from '../support/scope.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { buildStandIn } from './stand-in.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const TAP = join(ROOT, 'node_modules/tap/dist/esm/run.mjs')
const IMAGE = fileURLToPath(new URL('../../release/image.js', import.meta.url))
const CHECKS = fileURLToPath(new URL('checks.js', import.meta.url))

const NAME = 'employees-test'

const HELP = `
It needs docker with its server, or podman. With --stand-in it needs podman, runc and mmdebstrap and is root:
images and containers are in a folder of its own, and nothing of them stays.`

const command = new Command('npm run test:image --')
  .description('Builds the image, runs it as the docs say, and checks what it promises.')
  .option(
    '--stand-in',
    'in place of the pinned base take Debian with the Node of the project, where no images can be pulled',
  )
  .addHelpText('after', HELP)
  .action(testImage)

await run(command)

async function testImage({ standIn }: { standIn?: true }): Promise<void> {
  const engine = standIn ? 'podman' : ['docker', 'podman'].find(isThere)
  const missing = (standIn ? ['podman', 'runc', 'mmdebstrap'] : []).filter((name) => !isThere(name))
  if (!engine || missing.length > 0) {
    throw new Error(
      `Nothing was tested: ${missing.join(', ') || 'docker or podman'} is not there, or does not answer`,
    )
  }
  process.exitCode = await scoped(async (scope) => {
    const env = { ...process.env, ...(standIn && (await ownStorage(scope))) }
    const base = standIn ? [`--base=localhost/${NAME}-base`] : []
    if (standIn) buildStandIn(await temporaryDirectory(scope), env, `${NAME}-base`)
    const options = { cwd: ROOT, env, stdio: 'inherit' } as const
    const parameters = [`--engine=${engine}`, `--name=${NAME}`, ...base]
    const built = spawnSync(process.execPath, [IMAGE, ...parameters], options)
    if (built.status !== 0) return EXIT.failed
    const checks = { ...env, TEST_IMAGE: NAME, TEST_ENGINE: engine }
    return spawnSync(process.execPath, [TAP, CHECKS], { ...options, env: checks }).status ?? 1
  })
}

function isThere(program: string): boolean {
  return spawnSync(program, [program === 'docker' ? 'version' : '--version']).status === 0
}

/**
 * Variables with which podman keeps to a folder that goes with the scope, and asks nothing of the machine
 * that a sandbox does not have: no systemd, no network of its own, no higher limits.
 */
async function ownStorage(scope: Scope): Promise<NodeJS.ProcessEnv> {
  const directory = await temporaryDirectory(scope)
  scope.teardown(() =>
    spawnSync('podman', ['rm', '--all', '--force', '--volumes'], {
      env: { ...process.env, ...env },
    }),
  )
  const [storage, containers] = ['storage.conf', 'containers.conf'].map((name) =>
    join(directory, name),
  ) as [string, string]
  mkdirSync(join(directory, 'tmp'))
  writeFileSync(
    storage,
    `[storage]
driver = "overlay"
graphroot = "${directory}/images"
runroot = "${directory}/run"
`,
  )
  writeFileSync(
    containers,
    `[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${directory}/tmp"
volume_path = "${directory}/volumes"
[containers]
netns = "host"
default_ulimits = ["nofile=4096:4096", "nproc=1024:1024"]
`,
  )
  const env = {
    CONTAINERS_STORAGE_CONF: storage,
    CONTAINERS_CONF: containers,
    BUILDAH_ISOLATION: 'chroot',
  }
  return env
}
