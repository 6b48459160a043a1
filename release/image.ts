import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Command, Option } from 'commander'
import { run, Stopped } from '../src/commands/command.js'
import { interrupt } from '../src/commands/interrupt.js'
import { RELEASE } from '../src/release.js'
import { gitOr, ROOT } from './git.js'

/** What builds images, by the words that make it do so. OCI's own format would drop the health check. */
const ENGINES = {
  docker: ['build'],
  podman: ['build', '--format', 'docker'],
  buildah: ['build', '--format', 'docker'],
} as const
type Engine = keyof typeof ENGINES
const NAMES = Object.keys(ENGINES) as Engine[]

const command = new Command('npm run image --')
  .description('Builds the image of the service, labelled with its version and its revision.')
  .addOption(
    new Option(
      '--engine <engine>',
      'what builds it; otherwise the first of these that is there and answers',
    ).choices(NAMES),
  )
  .option('--name <name>', 'what it is called, with its version and "latest" as tags', 'employees')
  .option('--base <image>', 'what it is made from, in place of the Node that the Dockerfile pins')
  .action(buildImage)

await run(command)

interface Options {
  engine?: Engine
  name: string
  base?: string
}

async function buildImage({ engine = firstEngine(), name, base }: Options): Promise<void> {
  const revision = revisionOf()
  const parameters = [
    ...[`VERSION=${RELEASE}`, `REVISION=${revision}`, ...(base ? [`NODE=${base}`] : [])].flatMap(
      (argument) => ['--build-arg', argument],
    ),
    ...['--tag', `${name}:${RELEASE}`, '--tag', `${name}:latest`, '.'],
  ]
  const child = spawn(engine, [...ENGINES[engine], ...parameters], { cwd: ROOT, stdio: 'inherit' })
  interrupt.addEventListener('abort', () => child.kill(interrupt.reason))
  const [code] = await once(child, 'close')
  if (interrupt.aborted) throw new Stopped(interrupt, 'no image was made')
  if (code !== 0) throw new Error(`${engine} failed with ${code}: no image was made`)
  console.log(`${name}:${RELEASE}, also called ${name}:latest, is of ${revision}`)
}

/** @throws if there is none */
function firstEngine(): Engine {
  const engine = NAMES.find((name) => spawnSync(name, ['version']).status === 0)
  if (engine) return engine
  throw new Error(
    `None of ${NAMES.join(', ')} is there and answers: install one ("apt-get install buildah"), or start its server`,
  )
}

/** The commit that is built, with "-dirty" if there is more than that has. */
function revisionOf(): string {
  const head = gitOr('unknown', 'rev-parse', 'HEAD')
  return gitOr('', 'status', '--porcelain') === '' ? head : `${head}-dirty`
}
