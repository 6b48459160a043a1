import { readdirSync, readFileSync } from 'node:fs'

const ROOT = new URL('../../../', import.meta.url)

/** A fenced block of a document. */
export interface CodeBlock {
  file: string
  line: number
  language: string
  text: string
}

const PAGES = readdirSync(new URL('docs', ROOT)).map((name) => `docs/${name}`)

/** The README, its pages and that of a demonstration, by path. */
export const documents = new Map(
  ['README.md', ...PAGES, 'ops/patroni/README.md'].map((file) => [
    file,
    readFileSync(new URL(file, ROOT), 'utf8'),
  ]),
)

export const codeBlocks: CodeBlock[] = [...documents].flatMap(([file, document]) =>
  [...document.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: language, 2: text }) => ({
    file,
    line: document.slice(0, index).split('\n').length,
    language: language as string,
    text: text as string,
  })),
)

/** Blocks that a test runs, by the name under which it asks for them, with how they begin. */
export const RUN = {
  tour: ['README.md', 'employee() {'],
  'what the tour says': ['README.md', '{"id":1,'],
  'SDK example': ['docs/operations.md', 'import createClient'],
  view: ['README.md', '// drizzle/views/'],
  'route of the view': ['README.md', '// routes/'],
  'sending an array': ['docs/operations.md', 'curl -i localhost:3000/employees -H'],
  'sending lines': ['docs/operations.md', 'printf '],
  generators: ['docs/operations.md', 'npx '],
  'making a key': ['docs/operations.md', 'npm run --silent key'],
  'sending a key': ['docs/operations.md', 'KEY='],
  'starting over PostgreSQL': ['docs/postgresql.md', 'DATABASE_URL='],
  'a database for it': ['docs/postgresql.md', 'CREATE ROLE'],
  'what a move says': ['docs/postgresql.md', 'moved '],
  'an answer that may lag': ['docs/postgresql.md', 'Cache-Status: '],
  'the model of trains': ['docs/scale.md', 'trains/s of a process'],
  'the model of writes': ['docs/scale.md', 'writes/s of all'],
  'restoring a backup': ['docs/operations.md', 'mkdir data/before'],
  'running the image': ['docs/operations.md', 'npm run image'],
  'checking what Prometheus reads': ['docs/operations.md', 'promtool '],
} as const

/**
 * The text of such a block.
 *
 * @throws if there is not one that begins so
 */
export function documented(name: keyof typeof RUN): string {
  const [block, ...more] = codeBlocks.filter((block) => isRun(block, name))
  if (!block || more.length > 0) throw new Error(`There is not one block "${name}" in the docs`)
  return block.text
}

export function isRun({ file, text }: CodeBlock, name: keyof typeof RUN): boolean {
  const [place, beginning] = RUN[name]
  return file === place && text.startsWith(beginning)
}
