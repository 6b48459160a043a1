// no database: it reads files
import t, { type Test } from 'tap'
import { Source } from '../../src/bulk/source.js'
import { Workplace } from '../support/workplace.js'

const HEADER = 'name,salary,department\n'

t.test('a column is found by its exact name before any other spelling of it', async (t) => {
  t.same(await employees(t, 'a.csv', ' NAME ,Salary,salary,DEPARTMENT\r\nAda,1,2,E\r\n'), [
    ['Ada', 2, 'E'],
  ])
})

t.test('a byte order mark is no part of the file', async (t) => {
  const rows = 'name,Name,salary,department\nAda,no,1,E\n'
  t.same(await employees(t, 'a.csv', `\ufeff${rows}`), [['Ada', 1, 'E']])
  const json = '{"salary":1,"department":"E"}'
  t.same(await employees(t, 'a.jsonl', `\ufeff${json}`), [['Employee 1', 1, 'E']])
})

t.test('two columns of one name are an error, since either may be meant', async (t) => {
  await t.rejects(employees(t, 'a.csv', 'name,salary,salary,department\nAda,1,2,E\n'), {
    message: /^The file has more than one column "salary"/,
  })
})

t.test('salaries are understood as people write them', async (t) => {
  const salaries = {
    '"$123,456.78"': 123456.78,
    '" $ 1,000 "': 1000,
    '"120,000 €"': 120000,
    '£5': 5,
    ' 7.50 ': 7.5,
    '1234567': 1234567,
    '1e5': 100000,
    '0': 0,
    '1000000000000': 1e12,
  }
  const rows = Object.keys(salaries).map((salary) => `Ada,${salary},E\n`)
  const expected = Object.values(salaries).map((salary) => ['Ada', salary, 'E'])
  t.strictSame(await employees(t, 'a.csv', HEADER + rows.join('')), expected)
})

t.test('a salary that could mean something else is a fault', async (t) => {
  const texts = ['12,34', '1,2345', '0,123', '1.234,56', '1 000', '$5€', '(5)', '0x10', 'NaN', '']
  const rows = texts.map((salary) => `Ada,"${salary}",E\n`)
  t.strictSame(
    await faults(t, 'a.csv', HEADER + rows.join('')),
    texts.map((salary, index) => [
      index + 2,
      `salary must be a number such as 123456.78 or $123,456.78, got "${salary}"`,
    ]),
  )
})

t.test('what the API refuses is a fault', async (t) => {
  t.match(await faults(t, 'a.csv', `${HEADER}Ada,-1,E\nAda,1000000000001,E\n"A\u009b",x,\n`), [
    [2, 'salary must be >= 0, got -1'],
    [3, 'salary must be <= 1000000000000, got 1000000000001'],
    [4, /^salary must .* got "x", name must .* got "A\u009b", department must .* got ""$/],
  ])
})

t.test('a row with too few or too many values is at fault', async (t) => {
  t.same(await faults(t, 'a.csv', `${HEADER}Ada,1\nBob,2,E,more\nEve,3,E`), [
    [2, 'it must have 3 values as the header has, got 2'],
    [3, 'it must have 3 values as the header has, got 4'],
  ])
})

t.test('lines are counted right behind values of many lines and empty lines', async (t) => {
  const lines = ['note,name,salary,department', '"1', '', '4",Ada,1,E', '', 'x,Bob,bad,E']
  for (const end of ['\n', '\r\n', '\r']) {
    const content = [...lines, '"7', '8",Eve,bad,E'].join(end)
    t.match(await faults(t, 'a.csv', content), [[6], [7]], JSON.stringify(end))
  }
})

t.test('lines may end in different ways in one file', async (t) => {
  const content = 'name,salary,department\r\nAda,1,E\nBob,2,E\rEve,3,"E"\r\nZoe,4,E'
  const expected = ['Ada', 'Bob', 'Eve', 'Zoe'].map((name, index) => [name, index + 1, 'E'])
  t.same(await employees(t, 'a.csv', content), expected)
})

t.test('broken CSV is an error that names the line', async (t) => {
  const good = 'note,name,salary,department\r\n"1\r\n2",Ada,1,E\r\n'
  const cases = {
    'x,Eve,3,"E\nx,Zoe,4,E\n': 'line 4: a quoted value of this row is never closed',
    'x,Eve,3,"E"x\n': 'line 4: text behind a closing quote',
    'x,Eve,3,E"x"\n': 'line 4: a quote inside a value without quotes around it',
    [`x,Eve,3,"${'E'.repeat(2 ** 20)}`]: 'line 4: longer than 1048576 characters',
  }
  for (const [rows, message] of Object.entries(cases)) {
    await t.rejects(employees(t, 'a.csv', good + rows), { message })
  }
})

t.test('what is not UTF-8 is an error that names the line', async (t) => {
  // Several chunks of the file, most of them cut inside a character.
  const good = Buffer.from(`${HEADER}${'Ë€😀,1,E\n'.repeat(20_000)}`)
  const message = /^line 20002: not UTF-8/
  const latin1 = Buffer.from('José,2,E\n', 'latin1')
  await t.rejects(employees(t, 'a.csv', Buffer.concat([good, latin1])), { message })
  const unfinished = Buffer.from('José').subarray(0, -1)
  await t.rejects(employees(t, 'a.csv', Buffer.concat([good, unfinished])), { message })
  const utf16 = Buffer.from(`\ufeff${HEADER}`, 'utf16le')
  await t.rejects(employees(t, 'a.csv', utf16), { message: /^line 1: not UTF-8/ })
})

t.test('text is taken as it is, however the file is cut into chunks', async (t) => {
  const names = Array.from({ length: 20_000 }, (_, index) => `é€😀\ufffd "${index}" `)
  const expected = names.map((name) => [name, 1, 'Ë'])
  const csv = names.map((name) => `"${name.replaceAll('"', '""')}",1,Ë\n`)
  t.strictSame(await employees(t, 'a.csv', HEADER + csv.join('')), expected)
  const json = names.map((name) => JSON.stringify({ name, salary: 1, department: 'Ë' }))
  t.strictSame(await employees(t, 'a.jsonl', json.join('\n')), expected)
})

t.test('bad rows of NDJSON are told by line', async (t) => {
  const lines = [
    '{"salary":1,"department":"E"}',
    '{"salary":1,',
    '[]',
    '',
    '{"salary":null,"department":5}',
    '{"department":"E"}',
    '{"salary":1e400,"department":"\\ud800"}',
    '{"salary":1,"department":"E","name":"Ada"}',
    '{"salary":2,"department":"E"}',
  ]
  t.match(await faults(t, 'a.jsonl', lines.join('\r\n')), [
    [2, /^it is no JSON, or cut off \(.* at column 13\)$/],
    [3, 'it must be a JSON object'],
    [5, 'salary must be number, got null, department must be string, got 5'],
    [6, 'salary is required'],
    [7, /salary must be .* got Infinity, department must be as described .* got "\\ud800"/],
    [8, 'name must be in the first row too'],
  ])
})

t.test('a file of NDJSON that is cut off says so, wherever it was cut', async (t) => {
  const last = '{"salary":10,"department":"E"}'
  for (let length = 1; length < last.length; length++) {
    const content = `{"salary":1,"department":"E"}\n${last.slice(0, length)}`
    t.match(await faults(t, 'a.jsonl', content), [[2, /^it is no JSON, or cut off \(.+\)$/]])
  }
})

t.test('a line of NDJSON that does not end is an error', async (t) => {
  const content = `\n{"name":"${'x'.repeat(2 ** 21)}`
  await t.rejects(employees(t, 'a.jsonl', content), { message: /^line 2: longer than/ })
})

t.test('a file can be read again from its start', async (t) => {
  const work = await Workplace.create(t)
  const source = await Source.open(await work.file('a.csv', `${HEADER}Ada,1,E\n`), {})
  t.teardown(() => source.close())
  for (let pass = 0; pass < 2; pass++) {
    const rows = []
    for await (const row of source.rows('Reading')) rows.push(row)
    t.same(rows, [{ line: 2, employee: { name: 'Ada', salary: 1, department: 'E' }, trimmed: 0 }])
  }
})

async function read(t: Test, name: string, content: string | Buffer) {
  const work = await Workplace.create(t)
  const source = await Source.open(await work.file(name, content), { keepSpaces: true })
  t.teardown(() => source.close())
  const rows = []
  for await (const row of source.rows('Reading')) rows.push(row)
  return rows
}

/** The employees of a file without faults, as rows of name, salary, department. */
async function employees(t: Test, name: string, content: string | Buffer): Promise<unknown[]> {
  const rows = await read(t, name, content)
  return rows.map((row) => 'employee' in row && Object.values(row.employee))
}

/** The bad rows of a file: line and faults. */
async function faults(t: Test, name: string, content: string): Promise<unknown[]> {
  const rows = await read(t, name, content)
  return rows.flatMap((row) => ('faults' in row ? [[row.line, row.faults.join(', ')]] : []))
}
