import '../runtime.js'

import { Command } from 'commander'
import { ConfigError, readConfig } from '../config.js'
import { openDatabase } from '../store/open.js'
import { run } from './command.js'

const HELP = `
Every start of the service does this, too. It is for where the service may not: over PostgreSQL the tables may
belong to one role, as which this is run, and another one may serve, which then cannot change them.

Examples:
  npm run migrate
  DATABASE_URL=postgres://owner:secret@db/employees npm run migrate -- --grant employees`

const command = new Command('npm run migrate --')
  .description(
    'Brings the schema and the cached views of the database that DATABASE_URL names up to date.',
  )
  .option('--grant <role>', 'let this role of PostgreSQL serve over the tables, and no more')
  .addHelpText('after', HELP)
  .action(migrate)

await run(command)

async function migrate({ grant }: { grant?: string }): Promise<void> {
  const { databaseUrl } = readConfig(process.env)
  if (grant !== undefined && databaseUrl.startsWith('file:')) {
    throw new ConfigError('--grant is for PostgreSQL: set DATABASE_URL=postgres://…')
  }
  const database = await openDatabase(databaseUrl, {
    onViewChange: ({ view, what }) => console.log(`${view}: ${what}`),
    onCreated: (file) => console.log(`A new database was made: ${file}`),
  })
  try {
    if (grant !== undefined && database.dialect === 'postgres') await database.grantServing(grant)
  } finally {
    await database.close()
  }
  console.log(`The database is up to date${grant === undefined ? '' : `, and ${grant} may serve`}`)
}
