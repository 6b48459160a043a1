// slow: it asks every command that the docs show for its help
// no database: it compares texts, and asks for help
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { defineView, type View } from '../../drizzle/define-view.js'
import { highSalary } from '../../drizzle/views/high-salary.js'
import { cacheKey, viewEtag } from '../../src/cache/cache-key.js'
import { sqliteDialect } from '../../src/store/sqlite/dialect.js'
import { changedParts } from '../../src/store/view-chain.js'
import {
  type CodeBlock,
  codeBlocks,
  documented,
  documents,
  isRun,
  RUN,
} from '../support/documented.js'
import { outcome } from '../support/outcome.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

interface Check {
  isMine: (block: CodeBlock) => boolean
  check: (t: Test, block: CodeBlock) => unknown
}

/** What tests of their own run, which ask for it by its name. */
const run: Check[] = (Object.keys(RUN) as (keyof typeof RUN)[]).map((name) => ({
  isMine: (block) => isRun(block, name),
  check: (t) => t.ok(tests.includes(`documented('${name}')`), `a test asks for "${name}"`),
}))

const checks: Record<string, Check[]> = {
  sh: [
    {
      isMine: ({ text }) => commandsOf(text).every((command) => command.startsWith('npm ')),
      check: async (t, { text }) => {
        for (const command of commandsOf(text)) await isCommand(t, command)
      },
    },
    {
      isMine: ({ text }) => commandsOf(text).every((command) => command.startsWith('docker run ')),
      check: (t, { text }) => {
        for (const [, file = ''] of text.matchAll(/-v \.\/([^:]+):/g))
          t.ok(existsSync(join(ROOT, file)), file)
      },
    },
    {
      isMine: ({ text }) => commandsOf(text).every((command) => command.startsWith('ops/')),
      check: async (t, { text }) => {
        for (const command of commandsOf(text)) await hasOptions(t, command)
      },
    },
  ],
  ts: [
    {
      isMine: ({ text }) => text.startsWith('export const payrollByDepartment'),
      check: (t, { text }) => t.ok(documented('view').includes(text), 'it is in the README'),
    },
    {
      isMine: ({ text }) => text.startsWith('matters: ') || text.startsWith('parts: '),
      check: (t, { text }) => {
        const definition = { ...highSalary.definition, ...objectOf(text) }
        t.doesNotThrow(() => defineView('example', definition))
      },
    },
  ],
  sql: [{ isMine: ({ text }) => text.includes('CREATE TRIGGER'), check: isGenerated }],
  text: [
    {
      isMine: ({ text }) => text.includes('one transaction'),
      check: (t, { text }) => {
        t.ok(text.includes(cacheKey('high_salary_emps', 'f177…')))
        t.ok(text.includes(viewEtag('f177…')))
      },
    },
    { isMine: ({ text }) => text.startsWith('src/app.ts'), check: isLayout },
    // A picture of links.
    { isMine: ({ text }) => text.includes('number   41'), check: isChain },
  ],
}

/** The sources of the tests that run what the docs say. */
const tests = ['docs', 'sdk', 'ops']
  .flatMap((folder) =>
    readdirSync(join(ROOT, 'test', folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(ROOT, 'test', folder, name),
    ),
  )
  .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
  .map((name) => readFileSync(name, 'utf8'))
  .join('\n')

t.ok(codeBlocks.length > 15)
for (const block of codeBlocks) {
  const { file, line, language } = block
  t.test(`${file}:${line} (${language || 'no language'}) is as it says`, async (t) => {
    const mine = [...run, ...(checks[language] ?? [])].filter(({ isMine }) => isMine(block))
    t.equal(mine.length, 1, 'one check knows it')
    for (const { check } of mine) await check(t, block)
  })
}

for (const [file, document] of documents) {
  t.test(`every command in a line of ${file} is there, with its options`, async (t) => {
    for (const [, command = ''] of document.matchAll(/`(npm [^`]+)`/g)) await isCommand(t, command)
    for (const [, command = ''] of document.matchAll(/`(npx [^`]+)`/g)) {
      t.ok(documented('generators').includes(command.replaceAll(/\s+/g, ' ')), command)
    }
  })
}

/** Each command of a text, without its comment. */
function commandsOf(text: string): string[] {
  return text
    .split(/\n|&&/)
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '')
}

/** Whether a script of the project is there, and knows the options. */
async function hasOptions(t: Test, command: string): Promise<void> {
  const [script = '', ...words] = command.split(' ')
  const { stdout } = await outcome(spawn(join(ROOT, script), ['--help']))
  for (const option of words.filter((word) => word.startsWith('--')))
    t.match(stdout, new RegExp(`^ +${option}\\b`, 'm'), command)
}

const helps = new Map<string, Promise<string>>()

/** Whether npm has such a command, or package.json such a script, and that all options which are given. */
async function isCommand(t: Test, command: string): Promise<void> {
  const [words = '', options = ''] = command.split(' -- ')
  const [name = ''] = words.split(/\s+/).filter((word) => !/^(npm|run|--silent)$/.test(word))
  if (/^(ci|cit|install)$/.test(name)) return
  t.type(scripts[name], 'string', command)
  for (const option of options.match(/--\S+/g) ?? []) {
    const program = scripts[name].split(' ').at(-1)
    const help =
      helps.get(program) ??
      outcome(
        spawn(process.execPath, [program, '--help'], {
          cwd: ROOT,
          stdio: ['ignore', 'pipe', 'inherit'],
        }),
      ).then(({ stdout }) => stdout)
    helps.set(program, help)
    t.match(await help, new RegExp(`^ +(-\\w, )?${option}\\b`, 'm'), command)
  }
}

/** Whether these triggers are generated from the definitions that the page shows. */
function isGenerated(t: Test, { text }: CodeBlock): void {
  const views = [
    evaluate(textOf('export const payrollByDepartment').replace(/^export const \w+ =/, '')) as View,
    defineView(highSalary.name, { ...highSalary.definition, ...objectOf(textOf('matters: ')) }),
  ]
  const generated = views.flatMap((view) =>
    sqliteDialect.objects(view).map(({ sql }) => inOneLine(`${sql};`)),
  )
  const statements = text.replaceAll(/^--.*$/gm, '').split(/(?<=END;)\n/)
  for (const statement of statements.map(inOneLine).filter((statement) => statement !== '')) {
    const [beginning = '', end = ''] = statement.split('…')
    t.ok(
      generated.some((sql) => sql.startsWith(beginning) && sql.endsWith(end)),
      statement,
    )
  }
}

function inOneLine(sql: string): string {
  return sql.trim().replaceAll(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')')
}

/** The block that begins so. */
function textOf(beginning: string): string {
  return codeBlocks.find(({ text }) => text.startsWith(beginning))?.text ?? ''
}

function objectOf(members: string): object {
  return evaluate(`({ ${members} })`) as object
}

function evaluate(expression: string): unknown {
  return runInNewContext(expression, { defineView })
}

/** Whether what a picture of a chain says is read is what has changed. */
function isChain(t: Test, { text }: CodeBlock): void {
  const row = (name: string) =>
    (new RegExp(`^ *${name} +(.+)$`, 'm').exec(text)?.[1] ?? '').split(/ {2,}/)
  const [numbers, versions, parts] = [row('number'), row('version'), row('parts')]
  const links = numbers.slice(0, 4).map((number, i) => ({
    number: Number(number),
    version: versions[i] as string,
    parts: (parts[i] as string).split(' → '),
  }))
  const [, from, , to] = links
  const changed = from && to && changedParts(from, to, links.slice(1))
  const [, said = ''] = /has 3a9b… \(42\): +read (.+?), as/.exec(text) ?? []
  t.strictSame([...(changed ?? [])].sort(), said.split(' and '))
}

/** Whether the layout names what is there, and each folder of the sources. */
function isLayout(t: Test, { text }: CodeBlock): void {
  const places = [...text.matchAll(/^(\S+)/gm)].map(([place]) => place)
  for (const place of places) t.ok(existsSync(join(ROOT, place)), place)
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  for (const { name } of folders) t.ok(places.includes(`src/${name}/`), `src/${name}/`)
}
