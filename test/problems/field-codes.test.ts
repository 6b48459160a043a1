// no database: what is wrong with fields
import { readFileSync } from 'node:fs'
import t from 'tap'
import { fieldCodeNames, fieldCodeOf, fieldCodes } from '../../src/problems/field-codes.js'
import { build } from '../support/build.js'

const contract = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'))

/** What schemas say beside rules, and rules that are of what is below. */
const NO_RULES = new Set(
  '$ref content description example examples in items name oneOf properties required schema'.split(
    ' ',
  ),
)

t.test('every rule of a request in the contract has a code of its own', async (t) => {
  const rules = new Set<string>()
  const named = (reference: string) =>
    contract.components.schemas[reference.split('/').at(-1) as string]
  const collect = (schema: Schema) => {
    for (const word of Object.keys(schema)) if (!NO_RULES.has(word)) rules.add(word)
    if (schema.required) rules.add('required')
    for (const each of Object.values(schema.properties ?? {})) collect(each)
    // Judged by the one that a body can only mean.
    for (const { $ref } of schema.oneOf ?? []) collect(named($ref))
  }
  for (const methods of Object.values<Record<string, Operation>>(contract.paths)) {
    for (const { parameters = [], requestBody } of Object.values(methods)) {
      for (const { schema } of parameters) collect(schema)
      for (const { schema } of Object.values(requestBody?.content ?? {})) {
        collect(named(schema.$ref))
      }
    }
  }
  t.ok(rules.has('pattern') && rules.has('required') && rules.has('maximum'))
  for (const rule of rules) t.not(fieldCodeOf(rule, 'x'), 'invalid', rule)
})

t.test('a rule has one code', async (t) => {
  const keywords = fieldCodeNames.flatMap((code) => fieldCodes[code].keywords)
  t.equal(new Set(keywords).size, keywords.length)
  for (const code of fieldCodeNames)
    for (const keyword of fieldCodes[code].keywords) t.equal(fieldCodeOf(keyword, 'x'), code)
  t.equal(fieldCodeOf('multipleOf', 1), 'invalid')
})

t.test('the contract has each code, and no other', async (t) => {
  t.strictSame(contract.components.schemas.FieldError.properties.code.enum, fieldCodeNames)
})

t.test('a field that is wrong has the code of what is wrong with it', async (t) => {
  const app = await build(t)
  const ada = { name: 'Ada', salary: 1, department: 'Engineering' }
  const faults: [field: object, code: string][] = [
    [{ name: undefined }, 'required'],
    [{ badge: 1 }, 'unknown'],
    [{ name: 5 }, 'wrong_type'],
    [{ name: '' }, 'too_short'],
    [{ name: 'x'.repeat(101) }, 'too_long'],
    [{ name: ' \u200b\u3000' }, 'blank'],
    [{ name: 'a\u0000b' }, 'malformed'],
    [{ name: 'a\u202eb' }, 'malformed'],
    [{ salary: -1 }, 'too_small'],
    [{ salary: 1e13 }, 'too_large'],
  ]
  for (const [field, code] of faults) {
    const payload = { ...ada, ...field }
    const answer = await app.inject({ method: 'POST', url: '/employees', payload })
    const path = `/body/${Object.keys(field)[0]}`
    t.match(answer.json(), { type: '/problems/validation', errors: [{ path, code }] }, code)
    t.equal(answer.json().errors.length, 1)
  }
  const others: [url: string, path: string, code: string][] = [
    ['/employees?after=x', '/query/after', 'wrong_type'],
    ['/employees?limit=1&sort=name&after=1&at=x', '/query/at', 'invalid_cursor'],
    ['/employees?limit=1&sort=name&after=1', '/query/after', 'gone'],
    ['/employees?limit=1&sort=name&salary_min=1', '/query/salary_min', 'not_served'],
    ['/employees?limit=x', '/query/limit', 'wrong_type'],
    ['/employees?limit=0', '/query/limit', 'too_small'],
    ['/employees/0', '/params/id', 'too_small'],
  ]
  for (const [url, path, code] of others) {
    t.match((await app.inject(url)).json(), { errors: [{ path, code }] }, url)
  }
})

t.test('a body that cannot be read has a code, too', async (t) => {
  const app = await build(t)
  const headers = { 'content-type': 'application/json' }
  for (const [payload, code] of [
    ['', 'required'],
    ['{', 'malformed'],
    ['\ud800', 'malformed'],
    ['['.repeat(40) + ']'.repeat(40), 'malformed'],
  ] as const) {
    const answer = await app.inject({ method: 'POST', url: '/employees', payload, headers })
    const errors = [{ path: '/body', code }]
    t.match(answer.json(), { type: '/problems/malformed-body', errors }, payload)
  }
})

interface Schema {
  required?: string[]
  properties?: Record<string, Schema>
  oneOf?: { $ref: string }[]
}
interface Operation {
  parameters?: { schema: Schema }[]
  requestBody?: { content: Record<string, { schema: { $ref: string } }> }
}
