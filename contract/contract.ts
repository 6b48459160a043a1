import { copyFileSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { ofProject, run } from '../src/commands/command.js'
import { breakingChanges, mayBreak } from './breaking.js'
import { redocly } from './redocly.js'

const command = new Command('npm run contract --')
  .description(
    'Checks a contract: its form, and that nothing breaks since the last release unless the version says so.',
  )
  .option('--release', 'make the present contract the released one, if it may be')
  .addOption(ofProject('--present <file>', 'the present contract', 'openapi.json'))
  .addOption(
    ofProject('--released <file>', 'the contract of the last release', 'contract/released.json'),
  )
  .action(check)

await run(command)

interface Options {
  release?: true
  present: string
  released: string
}

function check({ release, present, released }: Options): void {
  const lint = redocly('lint', present)
  if (lint.status !== 0) throw new Error(lint.stdout + lint.stderr)

  const from = versionOf(released)
  const to = versionOf(present)
  const changes = breakingChanges(released, present)
  if (changes.length > 0 && !mayBreak(from, to)) {
    throw new Error(`\
${to} breaks what clients of ${from} rely on:
${changes.map((change) => `- ${change}`).join('\n')}

Take it back; or, if it must be, raise the ${from.startsWith('0.') ? 'minor' : 'major'} number of the version in package.json, run \
"npm run openapi", and with the release "npm run contract -- --release".`)
  }
  if (release) copyFileSync(present, released)
  console.log(
    release ? `${to} is the released contract now` : `${to} keeps to the contract of ${from}`,
  )
  for (const change of changes) console.log(`- breaks, as the version says: ${change}`)
}

function versionOf(contract: string): string {
  return JSON.parse(readFileSync(contract, 'utf8')).info.version
}
