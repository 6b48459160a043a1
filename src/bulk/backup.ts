import '../runtime.js'
import '../commands/interrupt.js'

import { Command } from 'commander'
import { ConfigError, configuredDatabase, grouped, run, Stopped } from '../commands/command.js'
import { interrupt } from '../commands/interrupt.js'
import { backUp } from '../store/sqlite/backup.js'
import { type Progress, startProgress } from './progress.js'

const HELP = `
The service may run meanwhile: the file has one moment of the database, and was checked. It has salaries in
it, and its owner alone may read it. Ctrl-C and SIGTERM leave nothing behind. docs/operations.md says how to go
back to it.

Examples:
  npm run backup -- employees-backup.db
  DATABASE_URL=file:/data/employees.db npm run backup -- --force /backups/today.db`

const OF_POSTGRES = `Over PostgreSQL its own tools make backups. The database in a file:
  pg_dump --format=custom --dbname="$DATABASE_URL" --file=FILE
and a server, to any moment if its log is archived:
  pg_basebackup --checkpoint=fast --wal-method=stream --pgdata=DIRECTORY`

const command = new Command('npm run backup --')
  .description('Copies the SQLite database that DATABASE_URL names into one file.')
  .argument('<file>', 'where to')
  .option('--force', 'replace the file if it is there')
  .addHelpText('after', HELP)
  .action(backup)

await run(command)

async function backup(file: string, { force }: { force?: true }): Promise<void> {
  const { databaseUrl } = configuredDatabase()
  if (!databaseUrl.startsWith('file:')) throw new ConfigError(OF_POSTGRES)
  const start = performance.now()
  let progress: Progress | undefined
  try {
    const bytes = await backUp(databaseUrl, file, {
      force,
      interrupt,
      onProgress(done, total) {
        progress ??= startProgress('Copying', total)
        progress.update(done)
      },
    }).finally(() => progress?.stop())
    const seconds = (performance.now() - start) / 1000
    console.log(`${file}: ${grouped(bytes / 1024)} KiB, checked, in ${seconds.toFixed(1)} s`)
  } catch (error) {
    throw interrupt.aborted ? new Stopped(interrupt, 'no backup was written') : error
  }
}
