import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Argument, Command } from 'commander'
import { gt, inc } from 'semver'
import { breakingChanges, mayBreak } from '../contract/breaking.js'
import { redocly } from '../contract/redocly.js'
import { run } from '../src/commands/command.js'
import { type Release, section, withSection } from './changelog.js'
import { git, gitOr, ROOT } from './git.js'

const LEVELS = ['major', 'minor', 'patch'] as const
type Level = (typeof LEVELS)[number]

/** What a release changes. */
const FILES = [
  'package.json',
  'package-lock.json',
  'openapi.json',
  'contract/released.json',
  'CHANGELOG.md',
]

const HELP = `
The last release is that of the last tag, vMAJOR.MINOR.PATCH; without any, that of contract/released.json. A version in
package.json that is higher than the level asks for stands.

It refuses a branch other than main, a tree that is not clean, an openapi.json that is not what the routes declare, and
a contract that is badly made, or breaks clients of the last release without a version that says so. It asks no
network, pushes nothing, and runs no tests: .ci/run does.

Examples:
  npm run release -- --dry-run        shows the version, and what the changelog would say
  npm run release                     a patch
  npm run release -- minor            a minor version: before 1.0.0, one that may break clients`

const command = new Command('npm run release --')
  .description(
    'Makes a release: raises the version, writes the changelog from the commits, commits and tags.',
  )
  .addArgument(new Argument('[level]', 'how far to raise it').choices(LEVELS).default('patch'))
  .option('--since <commit>', 'where the changelog begins, in place of the last tag')
  .option('--dry-run', 'change nothing, and show what would be done')
  .addHelpText('after', HELP)
  .action(release)

await run(command)

interface Options {
  since?: string
  dryRun?: true
}

function release(level: Level, { since, dryRun }: Options): void {
  assertReady()
  const tag = gitOr(undefined, 'describe', '--tags', '--abbrev=0', '--match=v[0-9]*')
  const { last, contract } = lastRelease(tag)
  const version = nextVersion(last, level)
  if (gitOr(undefined, 'rev-parse', '--verify', '--quiet', `refs/tags/v${version}`)) {
    throw new Error(`There is a tag v${version} already: raise the version further`)
  }
  const planned: Release = {
    version,
    date: new Date().toISOString().slice(0, 10),
    breaking: checkedContract(contract, last, version),
    commits: commitsSince(since ?? tag),
  }
  const changes = section(planned)
  console.log(`${last} → ${version}\n\n${changes}\n`)
  if (dryRun) {
    console.log('Nothing was changed: that was a dry run')
    return
  }
  const before = git(['rev-parse', 'HEAD'])
  try {
    raise(version, changes)
    git(['commit', '--quiet', '--file=-'], `Release ${version}\n`)
    git(['tag', '--annotate', '--cleanup=whitespace', '--file=-', `v${version}`], changes)
  } catch (error) {
    git(['reset', '--quiet', '--hard', before])
    throw new Error(`${(error as Error).message}\nNothing was changed`)
  }
  console.log(`${version} is released here: ${git(['rev-parse', '--short', 'HEAD'])}, tagged v${version}. Nothing was pushed.
To publish it:  git push origin main v${version}
To undo it:     git tag --delete v${version} && git reset --hard HEAD~1`)
}

/** @throws if this is not main, or if something is not committed */
function assertReady(): void {
  const branch = git(['branch', '--show-current'])
  if (branch !== 'main') {
    throw new Error(`Releases are made on main, and this is ${branch || 'no branch'}`)
  }
  const status = git(['status', '--porcelain'])
  if (status !== '') throw new Error(`What is not committed would not be released:\n${status}`)
}

/** The version of the last release, and its contract. */
function lastRelease(tag: string | undefined): { last: string; contract: string } {
  if (tag) return { last: tag.slice(1), contract: git(['show', `${tag}:openapi.json`]) }
  const contract = read('contract/released.json')
  return { last: JSON.parse(contract).info.version, contract }
}

function nextVersion(last: string, level: Level): string {
  const raised = inc(last, level)
  if (!raised) throw new Error(`${last} is no version, so that nothing is known of the next one`)
  const { version } = JSON.parse(read('package.json'))
  return gt(version, raised) ? version : raised
}

/**
 * What the present contract breaks, as the version says.
 *
 * @throws if it is not what the routes declare, is badly made, or breaks what the version does not say
 */
function checkedContract(released: string, last: string, version: string): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'employees-'))
  try {
    const [before, present] = ['released.json', 'openapi.json'].map((name) =>
      join(directory, name),
    ) as [string, string]
    writeFileSync(before, released)
    writeContract(present)
    if (readFileSync(present, 'utf8') !== read('openapi.json')) {
      throw new Error('openapi.json is not what the routes declare: run "npm run openapi"')
    }
    const lint = redocly('lint', present)
    if (lint.status !== 0) throw new Error(lint.stdout + lint.stderr)
    const breaking = breakingChanges(before, present)
    if (breaking.length === 0 || mayBreak(last, version)) return breaking
    throw new Error(`\
${version} would break what clients of ${last} rely on:
${breaking.map((change) => `- ${change}`).join('\n')}

Take it back; or, if it must be: npm run release -- ${last.startsWith('0.') ? 'minor' : 'major'}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** @throws if there are none */
function commitsSince(start: string | undefined): Release['commits'] {
  const range = start ? `${start}..HEAD` : 'HEAD'
  const log = git(['log', '--no-merges', '--format=%h %s', range, '--'])
  if (log === '') throw new Error(`There is nothing to release: no commit since ${start}`)
  return log.split('\n').map((line) => {
    const [, hash = '', subject = ''] = /^(\S+) (.*)$/.exec(line) ?? []
    return { hash, subject }
  })
}

/** Puts a version, and what it changes, wherever they stand, and stages that. */
function raise(version: string, changes: string): void {
  succeed('npm', ['version', version, '--no-git-tag-version', '--allow-same-version'])
  writeContract(join(ROOT, 'openapi.json'))
  writeFileSync(join(ROOT, 'contract/released.json'), read('openapi.json'))
  const changelog = existsSync(join(ROOT, 'CHANGELOG.md')) ? read('CHANGELOG.md') : undefined
  writeFileSync(join(ROOT, 'CHANGELOG.md'), withSection(changelog, changes))
  git(['add', '--', ...FILES])
}

/** Writes what the routes declare. */
function writeContract(file: string): void {
  succeed(process.execPath, ['dist/src/commands/openapi.js', '--out', file])
}

function succeed(program: string, parameters: string[]): void {
  const shell = process.platform === 'win32' && program === 'npm'
  const { status, stderr, error } = spawnSync(program, parameters, {
    cwd: ROOT,
    encoding: 'utf8',
    shell,
  })
  if (status !== 0) throw new Error(error?.message ?? stderr.trim())
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
