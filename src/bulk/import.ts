import '../runtime.js'

import { Command } from 'commander'
import { grouped, onInterrupt, openConfiguredDatabase, rate, run } from '../commands/command.js'
import type { Database } from '../store/sqlite/database.js'
import type { Checked } from './check.js'
import { create } from './create.js'
import { Source, type SourceOptions } from './source.js'

const HELP = `
Nothing is imported before every row has been checked, by the rules of the API. Salaries may be written as
123456.78 or $123,456.78. Spaces around names and departments are left out. Without --name and a column
"name", employees are called "Employee 1", "Employee 2", … by their row in the file. The service may run
meanwhile.

Ctrl-C and SIGTERM stop it between two batches, and it says how many rows are in.

Example:
  npm run import -- employees.csv --salary Base_Salary --department Department_Name`

interface Options extends SourceOptions {
  skipInvalid?: true
}

const command = new Command('npm run import --')
  .description('Imports employees from a file into the database that DATABASE_URL names.')
  .argument('<file>', 'CSV with a header (.csv), or NDJSON (.ndjson, .jsonl), in UTF-8; maybe .gz')
  .option('--name <column>', 'the column of the names (default: "name" if there is one)')
  .option('--salary <column>', 'the column of the salaries (default: "salary")')
  .option('--department <column>', 'the column of the departments (default: "department")')
  .option('--skip-invalid', 'import the other rows when some are invalid')
  .option('--keep-spaces', 'keep the spaces around names and departments')
  .addHelpText('after', HELP)
  .action(importFile)

await run(command)

async function importFile(path: string, options: Options) {
  const start = performance.now()
  const interrupt = onInterrupt()
  const source = await Source.open(path, options)
  let db: Database | undefined
  try {
    db = openConfiguredDatabase()
    const checked = await create(db, source, interrupt, { skipInvalid: options.skipInvalid })
    console.log(`${summary(checked)} in ${rate(checked.valid, start)}`)
    if (checked.trimmed > 0) console.log(spaces(checked))
  } finally {
    db?.$client.close()
    await source.close()
  }
}

function summary({ valid, invalid }: Checked): string {
  const skipped = invalid > 0 ? `, skipped ${grouped(invalid)}` : ''
  return `imported ${grouped(valid)}${skipped}`
}

function spaces({ trimmed }: Checked): string {
  const values = `${grouped(trimmed)} names and departments`
  return `left out the spaces around ${values}; --keep-spaces keeps them`
}
