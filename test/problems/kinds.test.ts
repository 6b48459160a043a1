// no database: what errors are called
import { readdirSync, readFileSync } from 'node:fs'
import { errorCodes, type FastifyError } from 'fastify'
import t from 'tap'
import { kindNames, kindOf, kinds, kindsOf, statuses, typeOf } from '../../src/problems/kinds.js'
import { problemOf } from '../../src/problems/problem.js'

const ROOT = new URL('../../../', import.meta.url)
const contract = JSON.parse(readFileSync(new URL('openapi.json', ROOT), 'utf8'))

/** Every error that the sources declare: its code, its message with what is put into it, its status. */
const DECLARED = /\bcreateError\(\s*'([A-Z\d_]+)',\s*(['"`])(.*?)\2,\s*(\d+),?\s*\)/gs
const sources = ['src', 'plugins', 'routes', 'drizzle'].flatMap((folder) =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('problems'))
    .map((name) => readFileSync(new URL(`${folder}/${name}`, ROOT), 'utf8')),
)
const declared = sources.flatMap((source) =>
  [...source.matchAll(DECLARED)].map(([, code = '', , message = '', status]) => ({
    code,
    message,
    status: Number(status),
  })),
)

/** Those of Fastify that tell a client something: the others are of whoever writes a service, and a 500. */
const ofFastify = Object.values(errorCodes)
  .map((FastifyFault) => new FastifyFault() as FastifyError)
  .filter(({ statusCode = 500 }) => statusCode < 500 || statusCode === 503)

t.test('every error that the sources declare is of a kind, with its status', async (t) => {
  const calls = sources.flatMap((source) => source.match(/\bcreateError\(/g) ?? [])
  t.equal(declared.length, calls.length, 'all of them were read')
  t.ok(declared.length > 20)
  for (const { code, status } of declared) {
    const kind = kindOf(status, code)
    t.ok(kinds[kind].codes.includes(code), code)
    t.equal(kinds[kind].status, status, code)
  }
})

t.test('every error of Fastify that tells a client something is of a kind', async (t) => {
  t.ok(ofFastify.length > 10)
  for (const error of ofFastify) {
    const { type, title, status } = problemOf(error, '/')
    t.equal(status, error.statusCode, error.code)
    const kind = kindsOf(status).find((kind) => typeOf(kind) === type)
    t.equal(title, kind && kinds[kind].title, error.code)
  }
})

t.test('a kind has no code that no error has, and no code is of two kinds', async (t) => {
  const known = new Set([...declared, ...ofFastify].map(({ code }) => code))
  const codes = kindNames.flatMap((kind) => kinds[kind].codes)
  t.strictSame(
    codes.filter((code) => !known.has(code)),
    [],
  )
  t.equal(new Set(codes).size, codes.length)
})

t.test('the example of a kind is what one of its errors says', async (t) => {
  const messages = new Map<string | undefined, RegExp>()
  for (const { code, message } of declared) messages.set(code, filled(message))
  for (const [code, FastifyFault] of Object.entries(errorCodes)) {
    messages.set(code, filled(new FastifyFault('%s', '%s', '%s').message.replace(/( %s)+$/, '')))
  }
  for (const kind of kindNames) {
    const { codes, example } = kinds[kind]
    if (codes.length === 0 || kind === 'validation' || kind === 'not-found') continue
    const said = codes.map((code) => {
      const { statusCode = 500 } = ofFastify.find((each) => each.code === code) ?? {}
      return problemOf(Object.assign(new Error(), { code, statusCode }) as never, '/').detail
    })
    const isSaid = said.includes(example) || codes.some((code) => messages.get(code)?.test(example))
    t.ok(isSaid || sources.some((source) => source.includes(`'${example}'`)), `${kind}: ${example}`)
  }
})

t.test('the contract has each kind, and no other', async (t) => {
  const { schemas } = contract.components
  const variants = schemas.Problem.anyOf.map(
    ({ $ref }: { $ref: string }) => schemas[$ref.split('/').at(-1) as string],
  )
  const types = variants.flatMap(({ properties }: Variant) => properties.type.enum)
  t.strictSame(types.sort(), kindNames.map(typeOf).sort())
  const told = variants.flatMap(({ properties }: Variant) => properties.status.enum)
  t.strictSame(told.sort(), statuses)
})

t.test('an answer of the contract has the kinds of its status alone', async (t) => {
  const operations = Object.values<object>(contract.paths).flatMap((methods) =>
    Object.values<{ responses: Record<string, Answer> }>(methods as never),
  )
  let count = 0
  for (const { responses } of operations) {
    for (const [status, { content }] of Object.entries(responses)) {
      const problem = content?.['application/problem+json']
      if (!problem) continue
      count++
      const { properties } =
        contract.components.schemas[problem.schema.$ref.split('/').at(-1) ?? '']
      t.strictSame(properties.type.enum, kindsOf(Number(status)).map(typeOf))
      t.strictSame(properties.status.enum, [Number(status)])
    }
  }
  t.ok(count > 30)
})

t.test('what nobody foresaw is of a kind, too', async (t) => {
  for (const [statusCode, status, type] of [
    [undefined, 500, '/problems/internal'],
    [500, 500, '/problems/internal'],
    [507, 500, '/problems/internal'],
    [503, 503, '/problems/unavailable'],
    [404, 404, '/problems/not-found'],
    [406, 406, '/problems/bad-request'],
  ]) {
    const error = Object.assign(new Error('secret'), { statusCode, code: 'NO_SUCH_EMPLOYE' })
    const problem = problemOf(error as FastifyError, '/')
    t.match(problem, { status, type })
    if (status === 500) t.notMatch(JSON.stringify(problem), 'secret')
  }
  const wrong = { ...new Error(), code: 'NO_SUCH_EMPLOYEE', statusCode: 500 } as FastifyError
  t.match(problemOf(wrong, '/'), { status: 500, type: '/problems/internal' })
})

interface Variant {
  properties: { type: { enum: string[] }; status: { enum: number[] } }
}
interface Answer {
  content?: Record<string, { schema: { $ref: string } }>
}

/** What a message is once something is put into it. */
function filled(message: string): RegExp {
  const parts = message.split(/%s|%d|\$\{\w+\}/).map((part) => part.replaceAll(/[^\w\s]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}
