import '../runtime.js'

import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { buildApp } from '../app.js'
import { readConfig } from '../config.js'
import { ofProject, run } from './command.js'

const command = new Command('npm run openapi --')
  .description('Writes the contract that the routes declare.')
  .addOption(ofProject('--out <file>', 'where to', 'openapi.json'))
  .action(writeContract)

await run(command)

async function writeContract({ out }: { out: string }): Promise<void> {
  const config = { ...readConfig({ LOG_LEVEL: 'silent' }), databaseUrl: 'file::memory:' }
  const app = await buildApp(config)
  try {
    await app.ready()
    writeFileSync(out, `${JSON.stringify(app.swagger(), null, 2)}\n`)
  } finally {
    await app.close()
  }
  console.log(`Wrote ${out}`)
}
