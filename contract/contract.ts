import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { ofProject, run } from '../src/commands/command.js'
import { breakingChanges, mayBreak } from './breaking.js'
import { redocly } from './redocly.js'

const command = new Command('npm run contract --')
  .description(
    'Checks a contract: its form, and that nothing breaks since the last release unless the version says so.',
  )
  .addOption(ofProject('--present <file>', 'the present contract', 'openapi.json'))
  .addOption(
    ofProject('--released <file>', 'the contract of the last release', 'contract/released.json'),
  )
  .action(check)

await run(command)

interface Options {
  present: string
  released: string
}

function check({ present, released }: Options): void {
  const lint = redocly('lint', present)
  if (lint.status !== 0) throw new Error(lint.stdout + lint.stderr)

  const from = versionOf(released)
  const to = versionOf(present)
  const changes = breakingChanges(released, present)
  if (changes.length > 0 && !mayBreak(from, to)) {
    throw new Error(`\
${to} breaks what clients of ${from} rely on:
${changes.map((change) => `- ${change}`).join('\n')}

Take it back; or, if it must be, raise the ${from.startsWith('0.') ? 'minor' : 'major'} number of the version in package.json, and run \
"npm run openapi".`)
  }
  console.log(`${to} keeps to the contract of ${from}`)
  for (const change of changes) console.log(`- breaks, as the version says: ${change}`)
}

function versionOf(contract: string): string {
  return JSON.parse(readFileSync(contract, 'utf8')).info.version
}
