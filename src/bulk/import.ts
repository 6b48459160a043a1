import '../runtime.js'
import '../commands/interrupt.js'

import { Command, Option } from 'commander'
import {
  counted,
  grouped,
  openConfiguredDatabase,
  rate,
  run,
  Stopped,
} from '../commands/command.js'
import { interrupt } from '../commands/interrupt.js'
import type { Bulk, Changes, Key, Staging } from '../store/bulk.js'
import type { Database } from '../store/database.js'
import { importAtOnce } from './at-once.js'
import type { Checked } from './check.js'
import { confirm, isTerminal } from './confirm.js'
import { create } from './create.js'
import { Source, type SourceOptions } from './source.js'

/** By what --update-by tells employees apart. */
const KEYS: Record<string, Key> = { name: ['name'], 'name,department': ['name', 'department'] }

const HELP = `
Nothing is imported before every row has been checked, by the rules of the API. Salaries may be written as
123456.78 or $123,456.78. Spaces around names and departments are left out. Without --name and a column
"name", employees are called "Employee 1", "Employee 2", … by their row in the file. The service may run
meanwhile.

Where there are employees already, it must be said what is to become of them. --append leaves them alone
and creates another one for each row. --update-by finds the employee of each row by name, or by name and
department: one that is different is updated, one that is the same is not touched, and where there is none,
one is created. It can be repeated. Rows that could mean several employees are errors.

Ctrl-C and SIGTERM stop it, and it says how many rows are in: whole batches; with --update-by, and in
PostgreSQL, all or none.

Examples:
  npm run import -- employees.csv --salary Base_Salary --department Department_Name
  npm run import -- employees.csv.gz --update-by name,department`

interface Options extends SourceOptions {
  skipInvalid?: true
  append?: true
  updateBy?: string
}

const command = new Command('npm run import --')
  .description('Imports employees from a file into the database that DATABASE_URL names.')
  .argument('<file>', 'CSV with a header (.csv), or NDJSON (.ndjson, .jsonl), in UTF-8; maybe .gz')
  .option('--name <column>', 'the column of the names (default: "name" if there is one)')
  .option('--salary <column>', 'the column of the salaries (default: "salary")')
  .option('--department <column>', 'the column of the departments (default: "department")')
  .option('--skip-invalid', 'import the other rows when some are invalid')
  .option('--keep-spaces', 'keep the spaces around names and departments')
  .option('--append', 'create all of them beside the employees that there are')
  .addOption(
    new Option('--update-by <fields>', 'update the employees that have the same')
      .choices(Object.keys(KEYS))
      .conflicts('append'),
  )
  .addHelpText('after', HELP)
  .action(importFile)

await run(command)

async function importFile(path: string, options: Options) {
  const start = performance.now()
  const key = KEYS[options.updateBy ?? '']
  // Numbers in place of names would be no key.
  const source = await Source.open(path, key ? { name: 'name', ...options } : options)
  let db: Database | undefined
  try {
    db = await openConfiguredDatabase()
    if (!key && !options.append) await assertIntended(db.bulk, path, interrupt)
    const checked = await importInto(db, source, key, options)
    console.log(`${summary(checked)} in ${rate(checked.valid, start)}`)
    if (checked.trimmed > 0) console.log(spaces(checked))
  } finally {
    await db?.close()
    await source.close()
  }
}

async function importInto(
  db: Database,
  source: Source,
  key: Key | undefined,
  { skipInvalid }: Options,
): Promise<Checked & Partial<Changes>> {
  const staging = await stage(db.bulk, key)
  if (!staging) return create(db, source, interrupt, { skipInvalid })
  try {
    const { valid, invalid, trimmed, ...changes } = await importAtOnce(staging, source, interrupt, {
      key,
      skipInvalid,
    })
    return { valid, invalid, trimmed, ...(key && changes) }
  } finally {
    await staging.close()
  }
}

async function stage(bulk: Bulk, key: Key | undefined): Promise<Staging | undefined> {
  try {
    return await (key ? bulk.update(key, interrupt) : bulk.append(interrupt))
  } catch (error) {
    throw interrupt.aborted ? new Stopped(interrupt, 'nothing was imported') : error
  }
}

/** @throws an error, unless there are no employees, or somebody at the terminal wants others beside them */
async function assertIntended(bulk: Bulk, path: string, interrupt: AbortSignal) {
  const count = await bulk.count()
  if (count === 0) return
  const there = `${counted(count, 'employee is', 'employees are')} there already`
  if (!isTerminal()) {
    const flags = '--append creates others beside them, --update-by name,department updates them'
    throw new Error(`${there}, so nothing was imported: ${flags}`)
  }
  const isWanted = await confirm(`${there}. Create all of ${path} besides?`, interrupt)
  if (interrupt.aborted) throw new Stopped(interrupt, 'nothing was imported')
  if (!isWanted) throw new Error('Nothing was imported')
}

function summary({ valid, invalid, ...changes }: Checked & Partial<Changes>): string {
  const skipped = invalid > 0 ? `, skipped ${grouped(invalid)}` : ''
  const { created, updated, unchanged } = changes
  if (created === undefined) return `imported ${grouped(valid)}${skipped}`
  const counts = [`created ${grouped(created)}`, `updated ${grouped(updated ?? 0)}`]
  return `${counts.join(', ')}, unchanged ${grouped(unchanged ?? 0)}${skipped}`
}

function spaces({ trimmed }: Checked): string {
  const values = counted(trimmed, 'name or department', 'names and departments')
  return `left out the spaces around ${values}; --keep-spaces keeps them`
}
