import t from 'tap'
import { build } from '../support/build.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const JSON_TYPE = { 'content-type': 'application/json' }

/** What no body may be, as JSON text, with the path of the fault and the message that tells it. */
const never: [body: string, path: string, message: RegExp][] = [
  ['null', '/body', /must be object, got null/],
  ['"Ada"', '/body', /must be object, got "Ada"/],
  ['1', '/body', /must be object, got 1/],
  [with_('unknown', 1), '/body/unknown', /unknown/],
  [with_('id', 7), '/body/id', /unknown/],
  [with_('Name', 'Ada'), '/body/Name', /unknown/],
  [with_('a/b~c', 1), '/body/a~1b~0c', /unknown/],
  [with_('', 1), '/body/', /unknown/],
  [with_('name', null), '/body/name', /must be string, got null/],
  [with_('name', 5), '/body/name', /must be string, got 5/],
  [with_('name', ['Ada']), '/body/name', /must be string, got \["Ada"]/],
  [with_('name', ''), '/body/name', /1 character.*, got ""/],
  [with_('department', true), '/body/department', /must be string, got true/],
  [with_('department', {}), '/body/department', /must be string, got {}/],
  [with_('salary', null), '/body/salary', /must be number, got null/],
  [with_('salary', '120000'), '/body/salary', /must be number, got "120000"/],
  [with_('salary', true), '/body/salary', /must be number, got true/],
  [with_('salary', [1]), '/body/salary', /must be number, got \[1]/],
  [with_('salary', -1), '/body/salary', />= 0, got -1/],
  [with_('salary', -5e-324), '/body/salary', />= 0, got -5e-324/],
  [with_('salary', 1e12 + 1), '/body/salary', /<= 1000000000000, got 1000000000001/],
  [salaryText('1e400'), '/body/salary', /must be .*, got Infinity/],
  [salaryText('-1e400'), '/body/salary', /must be .*, got -Infinity/],
]

/** What only a POST may be: see test/routes/many-at-once.test.ts. */
const notOne: typeof never = [
  ['[]', '/body', /must be object, got \[]/],
  [`[${JSON.stringify(ada)}]`, '/body', /must be object, got \[/],
]

const requests = [
  { method: 'POST', url: '/employees' },
  { method: 'PUT', url: '/employees/1' },
  { method: 'PATCH', url: '/employees/1' },
] as const

for (const request of requests) {
  const { method } = request

  t.test(`a ${method} says which field breaks which rule, and changes nothing`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    for (const [payload, path, message] of method === 'POST' ? never : [...never, ...notOne]) {
      const answer = await app.inject({ ...request, payload, headers: JSON_TYPE })
      const { errors } = answer.json()
      t.match({ status: answer.statusCode, errors }, { status: 400, errors: [{ path, message }] })
      t.equal(errors.length, 1, `one error for ${payload}`)
    }
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
  })

  t.test(`a ${method} takes no control characters`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const controls = [...range(0x00, 0x1f), ...range(0x7f, 0x9f)]
    for (const field of ['name', 'department']) {
      const refused = []
      for (const code of controls) {
        const payload = { ...ada, [field]: `a${String.fromCharCode(code)}b` }
        const answer = await app.inject({ ...request, payload })
        if (answer.json().errors?.[0].path === `/body/${field}`) refused.push(code)
      }
      t.strictSame(refused, controls, field)
    }
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
  })

  t.test(
    `a ${method} takes no text that shows nothing, or shows it in another order`,
    async (t) => {
      const app = await build(t)
      await app.employees.createMany([ada])
      const blank = [' ', '\u00a0\u2003', '\u200b', '\u2060\ufeff', ' \u200f ', ' '.repeat(100)]
      const bidi = [...range(0x202a, 0x202e), ...range(0x2066, 0x2069)]
      const misleading = bidi.map((code) => `a${String.fromCharCode(code)}b`)
      for (const field of ['name', 'department']) {
        for (const text of [...blank, ...misleading]) {
          const answer = await app.inject({ ...request, payload: { ...ada, [field]: text } })
          const message = /not all of them blank.*no bidirectional/
          const told = { status: 400, errors: [{ path: `/body/${field}`, message }] }
          t.match(answer.json(), told, JSON.stringify(text))
        }
      }
      t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])

      // With a mark of direction, a joiner, room around it; and one that is a mark alone.
      for (const name of ['\u200fשלום\u200e', 'علی\u200cرضا', '\u061c١', ' a ', '\u0308', '.']) {
        const answer = await app.inject({ ...request, payload: { ...ada, name } })
        t.equal(answer.json().name, name, JSON.stringify(name))
      }
    },
  )

  t.test(`a ${method} judges a long text in no time`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    for (const text of [' '.repeat(60_000), `${' a'.repeat(30_000)}\u0001`]) {
      const start = performance.now()
      const answer = await app.inject({ ...request, payload: { ...ada, name: text } })
      t.equal(answer.statusCode, 400)
      t.ok(performance.now() - start < 1000)
    }
  })

  t.test(`a ${method} takes no lone surrogates`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const escapes = ['\\ud800', 'a\\udfff', '\\udc00\\ud800', '\\ud83dx\\ude00']
    for (const escaped of escapes) {
      const payload = `{"name":"${escaped}","salary":1,"department":"Engineering"}`
      const answer = await app.inject({ ...request, payload, headers: JSON_TYPE })
      t.match(answer.json(), { status: 400, errors: [{ path: '/body/name' }] }, escaped)
      t.ok(answer.body.isWellFormed())
    }
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])

    const payload = '{"name":"\\ud83d\\ude00","salary":1,"department":"Engineering"}'
    const answer = await app.inject({ ...request, payload, headers: JSON_TYPE })
    t.equal(answer.json().name, '😀', 'a pair is a character')
  })

  t.test(`a ${method} counts the length of text in code points`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    for (const character of ['x', '😀', '\u0308']) {
      for (const field of ['name', 'department'] as const) {
        const payload = { ...ada, [field]: character.repeat(100) }
        const accepted = await app.inject({ ...request, payload })
        t.equal(accepted.json()[field], payload[field], `100 times ${character}`)

        const tooLong = { ...ada, [field]: character.repeat(101) }
        const refused = await app.inject({ ...request, payload: tooLong })
        const message = /100 characters, got/
        t.match(refused.json(), { status: 400, errors: [{ path: `/body/${field}`, message }] })
      }
    }
  })
}

t.test('a POST wants every field', async (t) => {
  const app = await build(t)
  const answer = await app.inject({ method: 'POST', url: '/employees', payload: {} })
  t.equal(answer.statusCode, 400)
  t.strictSame(answer.json().errors, [
    { path: '/body/name', code: 'required', message: 'is required' },
    { path: '/body/salary', code: 'required', message: 'is required' },
    { path: '/body/department', code: 'required', message: 'is required' },
  ])
})

t.test('every fault of a body is told at once', async (t) => {
  const app = await build(t)
  const payload = { name: '', salary: -1, extra: 1 }
  const answer = await app.inject({ method: 'POST', url: '/employees', payload })
  const paths = answer.json().errors.map(({ path }: { path: string }) => path)
  t.strictSame(paths.sort(), ['/body/department', '/body/extra', '/body/name', '/body/salary'])
})

t.test('a body of a thousand faults has an answer of a reasonable size', async (t) => {
  const app = await build(t)
  const payload = Object.fromEntries(range(1, 1000).map((n) => [`${n}${'x'.repeat(40)}`, n]))
  const answer = await app.inject({ method: 'POST', url: '/employees', payload })
  t.equal(answer.statusCode, 400)
  t.ok(answer.body.length < 8192, `${answer.body.length} bytes`)
})

t.test('a long value is told by its beginning only', async (t) => {
  const app = await build(t)
  const payload = { ...ada, salary: '9'.repeat(60_000) }
  const answer = await app.inject({ method: 'POST', url: '/employees', payload })
  t.match(answer.json().errors, [{ path: '/body/salary', message: /"999.*…$/ }])
  t.ok(answer.body.length < 1024, `${answer.body.length} bytes`)
})

t.test('a body with __proto__ or constructor.prototype is refused', async (t) => {
  const app = await build(t)
  for (const field of ['"__proto__":{"x":1}', '"constructor":{"prototype":{"x":1}}']) {
    const payload = `{"name":"Ada","salary":1,"department":"Engineering",${field}}`
    const request = { url: '/employees', payload, headers: JSON_TYPE }
    const answer = await app.inject({ method: 'POST', ...request })
    t.match(answer.json(), { status: 400, errors: [{ path: /^\/body/ }] }, field)
  }
  t.equal((await app.inject('/employees')).body, '[]')
})

/** A good body but for one field. */
function with_(field: string, value: unknown): string {
  return JSON.stringify({ ...ada, [field]: value })
}

/** A good body but for the salary, which JSON.stringify would not write so. */
function salaryText(salary: string): string {
  return `{"name":"Ada","salary":${salary},"department":"Engineering"}`
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
