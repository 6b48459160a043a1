import '../runtime.js'

import { Command } from 'commander'
import { complain, EXIT, grouped, openConfiguredDatabase, rate, run } from '../commands/command.js'
import { createSqliteStore } from '../store/sqlite/sqlite-store.js'
import { type Checked, check } from './check.js'
import type { ColumnNames } from './columns.js'
import { type Loaded, load } from './load.js'
import { Source } from './source.js'

const HELP = `
The file is read twice: nothing is imported before every row has been checked, by the rules of the
API. Salaries may be written as 123456.78 or $123,456.78. Without --name and a column "name",
employees are called "Employee 1", "Employee 2", … by their row in the file. The service may run
meanwhile. Ctrl-C stops between two batches and says how many rows are in.

Exit code: 0 imported, also if --skip-invalid left rows out; 1 the file or the database has an error
(nothing was imported, unless the message says how much); 2 wrong usage; 130 stopped by Ctrl-C.

Example:
  npm run import -- employees.csv --salary Base_Salary --department Department_Name
`

const command = new Command('npm run import --')
  .description('Imports employees from a file into the database that DATABASE_URL names.')
  .argument('<file>', 'CSV with a header, or NDJSON if it ends in .ndjson or .jsonl; in UTF-8')
  .option('--name <column>', 'the column of the names (default: "name" if there is one)')
  .option('--salary <column>', 'the column of the salaries (default: "salary")')
  .option('--department <column>', 'the column of the departments (default: "department")')
  .option('--skip-invalid', 'import the other rows when some are invalid')
  .addHelpText('after', HELP)
  .action(importFile)

await run(command)

async function importFile(path: string, options: ColumnNames & { skipInvalid?: true }) {
  const start = performance.now()
  const interrupt = onInterrupt()
  const source = await Source.open(path, options)
  try {
    const checked = await check(source, interrupt)
    if (checked.report.length > 0) complain(checked.report.join('\n'))
    if (interrupt.aborted) return stopped({ rows: 0, lastLine: 0 })
    if (checked.rows === 0) return console.log(`${path} has no rows: 0 imported`)
    if (checked.invalid > 0 && !options.skipInvalid) throw invalid(checked)

    const loaded = await loadInto(source, interrupt)
    const missing = checked.rows - checked.invalid - loaded.rows
    if (interrupt.aborted && missing > 0) return stopped(loaded)
    if (missing !== 0) throw changed(loaded)
    const skipped = options.skipInvalid ? `, skipped ${grouped(checked.invalid)}` : ''
    console.log(`imported ${grouped(loaded.rows)}${skipped} in ${rate(loaded.rows, start)}`)
  } finally {
    await source.close()
  }
}

function onInterrupt(): AbortSignal {
  const interrupt = new AbortController()
  // Not only once: npm passes on what the terminal sends to everybody, so one Ctrl-C comes twice.
  process.on('SIGINT', () => interrupt.abort())
  return interrupt.signal
}

async function loadInto(source: Source, interrupt: AbortSignal): Promise<Loaded> {
  const db = openConfiguredDatabase()
  const store = createSqliteStore(db)
  try {
    return await load(source, store.employees, interrupt)
  } finally {
    store.close()
    db.$client.close()
  }
}

function stopped({ rows, lastLine }: Loaded) {
  const where = rows > 0 ? `, up to line ${lastLine} of the file` : ''
  complain(`Stopped: ${grouped(rows)} rows are in${where}`)
  process.exitCode = EXIT.interrupted
}

function invalid({ invalid, rows }: Checked): Error {
  const count = `${grouped(invalid)} of ${grouped(rows)} rows are invalid`
  return new Error(`${count}, so nothing was imported; --skip-invalid leaves them out`)
}

function changed({ rows }: Loaded): Error {
  return new Error(`The file was changed while it was read; ${grouped(rows)} rows are in`)
}
