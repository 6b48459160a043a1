// slow: each command is a process
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { onSqlite } from '../support/any-database.js'
import { build } from '../support/build.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { versions } from '../support/view-versions.js'
import { Workplace } from '../support/workplace.js'

const HEADER = 'name,salary,department\n'

t.test('columns may have names of their own, in any order, among others', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file(
    'people.csv',
    'Division,Pay,Full Name,Unit\nx,"$120,000.00","Lovelace, Ada",Engineering\ny,50000.25,Bob,Sales\n',
  )
  const names = ['--name', 'Full Name', '--salary', 'Pay', '--department', 'Unit']
  const { code, stdout } = await work.run('import', path, ...names)
  t.match(stdout, /^imported 2 in /)
  t.equal(code, 0)
  t.same(await work.employees(), [
    ['Lovelace, Ada', 120000, 'Engineering'],
    ['Bob', 50000.25, 'Sales'],
  ])
})

t.test('a column that the file does not have is an error which lists those it has', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', 'name,Base_Salary,department\nAda,1,E\n')
  const columns = 'it has "name", "Base_Salary", "department"\n'
  t.match(await work.run('import', path), {
    code: 1,
    stderr: `The file has no column "salary" (--salary names another); ${columns}`,
  })
  t.match(await work.run('import', path, '--salary', 'Base_Salary', '--name', 'Who'), {
    code: 1,
    stderr: `The file has no column "Who"; ${columns}`,
  })
})

t.test('without names, employees are called by their row in the file', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', 'salary,department\n1,E\n\nbad,E\n3,S\n')
  t.equal((await work.run('import', path, '--skip-invalid')).code, 0)
  t.same(await work.employees(), [
    ['Employee 1', 1, 'E'],
    ['Employee 3', 3, 'S'],
  ])
})

t.test('a bad row stops the import before anything is written', async (t) => {
  const work = await Workplace.create(t)
  // More than a batch in front of it.
  const path = await work.file(
    'people.csv',
    `${HEADER}${'Ada,1,E\n'.repeat(6000)}Bob,2,\n"\u009b",3,${'x'.repeat(101)}\n`,
  )
  const { code, stdout, stderr } = await work.run('import', path)
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, 'line 6002: department must NOT have fewer than 1 characters, got ""\n')
  t.match(
    stderr,
    /line 6003: name must be as described .*, got "\\u009b"; department must NOT have/,
  )
  t.match(stderr, '2 of 6,002 rows are invalid, so nothing was imported; --skip-invalid')
  t.same(await work.employees(), [])
})

t.test('--skip-invalid imports the other rows and lists the first that are bad', async (t) => {
  const work = await Workplace.create(t)
  const bad = Array.from({ length: 23 }, (_, index) => `Bob,bad${index},E\n`)
  const path = await work.file('people.csv', `${HEADER}Ada,1,E\n${bad.join('')}x,1\nEve,2,S\n`)
  const { code, stdout, stderr } = await work.run('import', path, '--skip-invalid')
  t.match(stdout, /^imported 2, skipped 24 in /)
  t.equal(code, 0)
  t.equal(stderr.match(/^line \d+: salary/gm)?.length, 20)
  t.match(stderr, '… and 4 more\n')
  t.same(await work.employees(), [
    ['Ada', 1, 'E'],
    ['Eve', 2, 'S'],
  ])
})

t.test('the lines of bad rows are right behind values of many lines', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', `${HEADER}"A\r\nda",1,E\r\n"B\n\nob",2,E\nEve,x,E\n`)
  const { code, stderr } = await work.run('import', path)
  t.match(stderr, /^line 2: name .*\nline 4: name .*\nline 7: salary /)
  t.equal(code, 1)
})

t.test('a file that is not CSV or not UTF-8 is imported not at all', async (t) => {
  const work = await Workplace.create(t)
  const good = `${HEADER}${'Ada,1,E\n'.repeat(6000)}`
  const quote = await work.file('quote.csv', `${good}Bob,2,"E\n`)
  t.match(await work.run('import', quote, '--skip-invalid'), {
    code: 1,
    stderr: 'line 6002: a quoted value of this row is never closed\n',
  })
  const latin1 = await work.file('latin1.csv', Buffer.from(`${good}José,2,E\n`, 'latin1'))
  t.match(await work.run('import', latin1, '--skip-invalid'), {
    code: 1,
    stderr: 'line 6002: not UTF-8; save the file as UTF-8 first\n',
  })
  t.same(await work.employees(), [])
})

t.test('nothing to import is an error', async (t) => {
  const work = await Workplace.create(t)
  for (const content of ['', HEADER, '\n\n']) {
    const path = await work.file('people.csv', content)
    t.same(await work.run('import', path), {
      code: 1,
      stdout: '',
      stderr: `${path} has no rows, so nothing was imported\n`,
    })
  }
  const one = await work.file('one.csv', `${HEADER}Ada,x,E\n`)
  t.match(await work.run('import', one), { stderr: '\n1 of 1 row is invalid, so nothing was ' })
  const path = await work.file('people.csv', `${HEADER}Ada,x,E\nBob,y,E\n`)
  for (const flags of [[], ['--skip-invalid']]) {
    const { code, stdout, stderr } = await work.run('import', path, ...flags)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(stderr, /^line 2: .*\nline 3: .*\n2 of 2 rows are invalid, so nothing was imported\n$/)
  }
})

t.test('NDJSON is read by its extension, with salaries as numbers or text', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file(
    'people.NDJSON',
    '{"who":"Ada","pay":0.1,"unit":"E"}\n\n{"unit":"S","pay":"$1,000","who":"Bob","more":[1]}',
  )
  const names = ['--name', 'who', '--salary', 'Pay', '--department', 'unit']
  t.match(await work.run('import', path, ...names), { code: 0, stdout: 'imported 2 ' })
  t.same(await work.employees(), [
    ['Ada', 0.1, 'E'],
    ['Bob', 1000, 'S'],
  ])
})

t.test('text is taken to the letter, and salaries to the last bit', async (t) => {
  const work = await Workplace.create(t)
  const names = ['C:\\temp\\new', '\\N', '\\.', '"\'$$', '\u{1f469}\u200d\u{1f680} é', 'Zoë\ufffd']
  const salaries = [0, 5e-324, 1e-7, 0.1 + 0.2, 99_999.999_999_999_99, 1e12]
  const people = names.map((name, index) => ({ name, salary: salaries[index], department: name }))
  const lines = people.map((each) => JSON.stringify(each)).join('\n')
  t.equal((await work.run('import', await work.file('people.ndjson', lines))).code, 0)
  t.strictSame(
    await work.employees(),
    people.map((each) => Object.values(each)),
  )
})

t.test('spaces around names and departments are left out, and counted', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file(
    'people.csv',
    `${HEADER} Ada Lovelace\u00a0,1,\u3000E \nBob,2,E\n" Eve\t",x,E \n`,
  )
  const { code, stdout } = await work.run('import', path, '--skip-invalid')
  t.equal(code, 0)
  t.match(
    stdout,
    /\nleft out the spaces around 2 names and departments; --keep-spaces keeps them\n$/,
    'of the rows that are in',
  )
  t.same(await work.employees(), [
    ['Ada Lovelace', 1, 'E'],
    ['Bob', 2, 'E'],
  ])
})

t.test('--keep-spaces keeps them', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', `${HEADER} Ada\u00a0,1, E\n`)
  const { code, stdout } = await work.run('import', path, '--keep-spaces')
  t.equal(code, 0)
  t.notMatch(stdout, 'spaces')
  t.same(await work.employees(), [[' Ada\u00a0', 1, ' E']])

  await work.file('people.csv', `${HEADER}Ada,1, E\n`)
  const { stdout: one } = await work.run('import', path, '--append')
  t.match(one, '\nleft out the spaces around 1 name or department; --keep-spaces keeps them\n')
})

t.test('an untidy file of a county gets in, and says what of it did not', async (t) => {
  const work = await Workplace.create(t)
  const rows = [
    '\ufeff',
    'Department, Department_Name ,Full Name,Gender,"Base_Salary",Grade',
    'POL,Department of Police ,"O\'Brien, Mary\u00a0",F,"$175,873.00",M2',
    'POL,Department of Police,"Núñez, José",M," $ 99,521.50 ",25',
    '',
    'HHS,"Health ""and"" Human Services","  Smith, Al",M,"86,244",22',
    'HHS,"Health ""and"" Human Services","Smith, Al",M,(12.50),22',
    'HHS,"Health ""and"" Human Services",Vacant,,,22',
    'LIB,Libraries,"Wong,\nLi",F,"$60,000",18',
    'LIB,Libraries,Short',
    ',,,,,',
    'TOTAL,,,,"$421,638.50",',
  ]
  const path = await work.file('county.csv', rows.slice(0, 1) + rows.slice(1).join('\r\n'))
  const columns = ['--name', 'full name', '--salary', 'base_salary', '--department']
  const flags = [...columns, 'department_name']
  const { code, stderr } = await work.run('import', path, ...flags)
  t.equal(code, 1)
  t.match(
    stderr,
    /^line 6: salary .*\nline 7: salary .*\nline 8: name .*\nline 10: it must have 6 .*\nline 11: .*\nline 12: .*\n6 of 9 rows are invalid, so nothing was imported; --skip-invalid/,
  )
  t.same(await work.employees(), [])

  const skipped = await work.run('import', path, ...flags, '--skip-invalid')
  t.match(skipped.stdout, /^imported 3, skipped 6 in .*\nleft out the spaces around 3 names and/)
  const people = [
    ["O'Brien, Mary", 175873, 'Department of Police'],
    ['Núñez, José', 99521.5, 'Department of Police'],
    ['Smith, Al', 86244, 'Health "and" Human Services'],
  ]
  t.same(await work.employees(), people)

  const again = ['--skip-invalid', '--update-by', 'name,department']
  const { stdout } = await work.run('import', path, ...flags, ...again)
  t.match(stdout, 'created 0, updated 0, unchanged 3, skipped 6 in ')
  t.same(await work.employees(), people)
})

t.test('a gzip of CSV or NDJSON is read as what is in it', async (t) => {
  const work = await Workplace.create(t)
  const csv = gzipSync(`${HEADER}Ada,1,E\n`)
  const more = gzipSync('Bob,2,E\n')
  const path = await work.file('people.csv.gz', Buffer.concat([csv, more]))
  t.match(await work.run('import', path), { code: 0, stdout: 'imported 2 ' })
  const json = gzipSync('{"name":"Eve","salary":3,"department":"S"}')
  const lines = await work.file('people.JSONL.GZ', json)
  t.match(await work.run('import', lines, '--append'), { code: 0, stdout: 'imported 1 ' })
  t.same(await work.employees(), [
    ['Ada', 1, 'E'],
    ['Bob', 2, 'E'],
    ['Eve', 3, 'S'],
  ])
})

t.test('a gzip that is cut off or damaged is imported not at all', async (t) => {
  const work = await Workplace.create(t)
  const whole = gzipSync(HEADER + 'Ada,1,E\n'.repeat(6000))
  const damaged = Buffer.from(whole)
  damaged.writeUInt32LE(0, whole.length - 8)
  for (const content of [whole.subarray(0, -20), damaged, HEADER, '']) {
    const path = await work.file('people.csv.gz', content)
    const { code, stdout, stderr } = await work.run('import', path)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(
      stderr,
      /^(?:Checking: .*\n)*Cannot read \S+: it is no gzip file, or cut off, or damaged .*\n$/,
    )
  }
  t.same(await work.employees(), [])
})

t.test('a file of another format is an error that says what to do', async (t) => {
  const work = await Workplace.create(t)
  for (const name of ['people.json', 'people.json.gz']) {
    const path = await work.file(name, '[]')
    t.match(await work.run('import', path), {
      code: 1,
      stderr: `Cannot read ${path}: an array must become a line for each row first: jq -c '.[]' `,
    })
  }
  for (const name of ['people.xlsx', 'people.tsv', 'people.csv.zip', 'people', '.csv']) {
    const path = await work.file(name, `${HEADER}Ada,1,E\n`)
    const stderr = `Cannot read ${path}: its name does not end in .csv, .ndjson, .jsonl, nor`
    t.match(await work.run('import', path), { code: 1, stderr })
  }
})

t.test('a running service answers right after an import, with new versions', async (t) => {
  const work = await Workplace.create(t)
  const app = await build(t, { databaseUrl: work.databaseUrl })
  for (const { path } of shownViews) await app.inject(path)
  t.same((await app.inject('/employees/high-salary')).json(), [])
  t.same((await app.inject('/employees/top2-by-department')).json(), [])
  const shell = await work.shell()
  const before = await versions(shell)

  const path = await work.file('people.csv', `${HEADER}Ada,150000,E\nBob,2,E\nEve,1,E\n`)
  t.equal((await work.run('import', path)).code, 0)
  const ada = { id: 1, name: 'Ada', salary: 150000, department: 'E' }
  const bob = { id: 2, name: 'Bob', salary: 2, department: 'E' }
  t.same((await app.inject('/employees/high-salary')).json(), [ada])
  t.same((await app.inject('/employees/top2-by-department')).json(), [ada, bob])
  const after = await versions(shell)
  for (const { view, path } of shownViews) {
    t.not(after[view.name], before[view.name], view.name)
    t.same((await app.inject(path)).json(), await expectedRows(shell, view), view.name)
  }
})

t.test('a file that cannot be opened is an error of code 1', async (t) => {
  const work = await Workplace.create(t)
  const missing = await work.run('import', 'missing.csv')
  t.equal(missing.code, 1)
  t.match(missing.stderr, /^Cannot read .*[\\/]missing\.csv: name a file .* \(ENOENT\)\n$/)
  t.match(await work.run('import', '.'), { code: 1, stderr: 'it is not a regular file' })
})

t.test('a file that is no database is an error of code 1', onSqlite, async (t) => {
  const work = await Workplace.create(t)
  await work.file('employees.db', 'no database '.repeat(100))
  const path = await work.file('people.csv', `${HEADER}Ada,1,E\n`)
  t.match(await work.run('import', path), { code: 1, stderr: 'is no SQLite database' })
})

t.test('--help explains the command and ends well; wrong usage ends with 2', async (t) => {
  const work = await Workplace.create(t)
  const { code, stdout } = await work.run('import', '--help')
  t.equal(code, 0)
  for (const part of ['--name', '--salary', '--department', '--skip-invalid', '--append', '-- ']) {
    t.match(stdout, part)
  }
  t.match(
    stdout,
    /Exit code: 0 done; 1 it failed, .*; 2 it was called in a wrong way.*; 130 .*143/s,
  )
  t.match(await work.run('import'), { code: 2, stderr: "missing required argument 'file'" })
  t.match(await work.run('import', 'a.csv', '--nome', 'x'), { code: 2, stderr: 'unknown option' })
  t.match(await work.run('import', 'a.csv', '--name'), { code: 2, stderr: 'argument missing' })
  t.match(await work.run('import', 'a.csv', 'b.csv'), { code: 2, stderr: 'too many arguments' })
  const both = ['--append', '--update-by', 'name']
  t.match(await work.run('import', 'a.csv', ...both), { code: 2, stderr: 'cannot be used with' })
  t.match(await work.run('import', 'a.csv', '--update-by', 'salary'), {
    code: 2,
    stderr: 'Allowed choices are name, name,department.',
  })
})
