// Writes a bill of materials (CycloneDX) of the production dependencies, by npm itself: npm run sbom. With
// --omit=optional, of those that an install with that option has.
//
// Of the whole package-lock.json, npm sbom --omit=dev leaves out what a development dependency needs, too
// (npm/cli#7909): so npm is shown one that has no others.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const omitsOptional = process.argv.includes('--omit=optional')
const manifest = read('package.json')
const lock = read('package-lock.json')
for (const root of [manifest, lock.packages['']]) {
  delete root.devDependencies
  if (omitsOptional) delete root.optionalDependencies
}
for (const [path, { dev, devOptional, optional }] of Object.entries(lock.packages)) {
  if (dev || (omitsOptional && (devOptional || optional))) delete lock.packages[path]
}

const temporary = mkdtempSync(join(tmpdir(), 'employees-'))
try {
  // After which npm calls what the bill is of.
  const directory = join(temporary, manifest.name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(lock))
  const form = ['--sbom-format=cyclonedx', '--sbom-type=application']
  const { status } = spawnSync('npm', ['sbom', '--package-lock-only', ...form], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  process.exitCode = status ?? 1
} finally {
  rmSync(temporary, { recursive: true })
}

function read(name) {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
}
