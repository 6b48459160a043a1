// slow: services are killed, and 100,000 keys used
import type { LightMyRequestResponse as Answer } from 'fastify'
import t, { type Test } from 'tap'
import type { Dialect } from '../../drizzle/define-view.js'
import { dialect, newDatabase } from '../support/any-database.js'
import { type App, build } from '../support/build.js'
import { age, count, DAY } from '../support/idempotency-keys.js'
import { apiKeys, read, write } from '../support/keys.js'
import { Service } from '../support/service.js'
import { shellOf } from '../support/shell.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const grace = { ...ada, name: 'Grace' }

t.test('a POST that is sent again is answered as the first, and creates nobody', async (t) => {
  const app = await build(t)
  const first = await post(app, 'a', ada)
  t.equal(first.statusCode, 201)
  t.equal(first.headers.location, '/employees/1')
  sameAnswer(t, await post(app, 'a', ada), first)
  const { name, salary, department } = ada
  sameAnswer(t, await post(app, 'a', { department, salary, name }), first, 'in another order')
  t.equal((await everybody(app)).length, 1)
  t.ok((await post(app, 'b', ada)).json().id > 1, 'another key is another employee')
})

t.test('it is also when the employee was changed or deleted since', async (t) => {
  const app = await build(t)
  const first = await post(app, 'a', ada)
  await app.inject({ method: 'PUT', url: '/employees/1', payload: { salary: 1 } })
  sameAnswer(t, await post(app, 'a', ada), first)
  await app.inject({ method: 'DELETE', url: '/employees/1' })
  sameAnswer(t, await post(app, 'a', ada), first)
  t.strictSame(await everybody(app), [])
})

t.test('another body with the same key is a 422 that changes nothing', async (t) => {
  const app = await build(t)
  const first = await post(app, 'a', ada)
  for (const change of [{ name: 'Grace' }, { salary: 120_000.5 }, { department: 'Sales' }]) {
    const answer = await post(app, 'a', { ...ada, ...change })
    t.equal(answer.statusCode, 422)
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.match(answer.json().detail, /Idempotency-Key.*one request.*another body/)
  }
  t.strictSame(await everybody(app), [{ id: 1, ...ada }])
  sameAnswer(t, await post(app, 'a', ada), first)
})

t.test('what was refused has used no key', async (t) => {
  const app = await build(t)
  t.equal((await post(app, 'a', { ...ada, salary: -1 })).statusCode, 400)
  t.equal((await post(app, 'a', ada)).statusCode, 201)
})

t.test('two that arrive at once are one, also at two processes over one database', async (t) => {
  const one = await build(t)
  const two = await build(t, { databaseUrl: one.config.databaseUrl })
  const apps = [one, one, two, one, two, two]
  const answers = await Promise.all(apps.map((app) => post(app, 'a', ada)))
  for (const answer of answers) sameAnswer(t, answer, answers[0] as Answer)
  const bodies = await Promise.all([ada, grace].map((body) => post(one, 'b', body)))
  t.strictSame(
    bodies.map(({ statusCode }) => statusCode),
    [201, 422],
  )
  t.equal((await everybody(two)).length, 2)
})

t.test('it is after a restart', async (t) => {
  const app = await build(t)
  const first = await post(app, 'a', ada)
  await app.close()
  const next = await build(t, { databaseUrl: app.config.databaseUrl })
  sameAnswer(t, await post(next, 'a', ada), first)
  t.equal((await everybody(next)).length, 1)
})

t.test('it is after SIGKILL, at another process', async (t) => {
  const env = { DATABASE_URL: await newDatabase(t), LOG_LEVEL: 'info' }
  const services = [await Service.start(t, env), await Service.start(t, env)] as const
  const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`)
  const send = ({ url }: Service, key: string) =>
    fetch(`${url}/employees`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(ada),
    }).then(async (answer) => [answer.status, answer.headers.get('etag'), await answer.text()])

  const [first, second] = await Promise.all(
    services.map((service) => Promise.all(keys.map((key) => send(service, key)))),
  )
  t.strictSame(second, first)
  await services[0].stop('SIGKILL')
  t.strictSame(await Promise.all(keys.map((key) => send(services[1], key))), first)
  await services[1].stop('SIGKILL')
  const service = await Service.start(t, env)
  t.strictSame(await Promise.all(keys.map((key) => send(service, key))), first)
  const employees = await (await fetch(`${service.url}/employees`)).json()
  t.equal((employees as unknown[]).length, keys.length)
})

const FAIL: Record<Dialect, string> = {
  sqlite: "CREATE TRIGGER fail AFTER INSERT ON TABLE BEGIN SELECT raise(ABORT, 'no'); END",
  postgres: `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
    CREATE TRIGGER fail AFTER INSERT ON TABLE EXECUTE FUNCTION fail()`,
}
for (const table of ['employees', 'idempotency_keys']) {
  t.test(`a write that fails at ${table} keeps nothing, and can be sent again`, async (t) => {
    const app = await build(t)
    const shell = await shellOf(t, app)
    await shell.run(FAIL[dialect].replace('TABLE', table))
    t.equal((await post(app, 'a', ada)).statusCode, 500)
    t.strictSame(await everybody(app), [])
    t.equal(await count(shell), 0)
    await shell.run(`DROP TRIGGER fail${dialect === 'postgres' ? ` ON ${table}` : ''}`)
    t.equal((await post(app, 'a', grace)).statusCode, 201)
  })
}

t.test('a key belongs to the API key that sent it', async (t) => {
  const open = await build(t)
  const { databaseUrl } = open.config
  const locked = await build(t, { databaseUrl, apiKeys })
  t.equal((await post(open, 'a', ada)).json().id, 1)
  const first = await post(locked, 'a', grace, write)
  t.equal(first.json().id, 2)
  sameAnswer(t, await post(locked, 'a', grace, write), first)
  t.equal((await post(open, 'a', grace)).statusCode, 422)
})

t.test('quoted and bare are the same key, up to 255 visible characters', async (t) => {
  const app = await build(t)
  const same = [
    ['a', '"a"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["it's,{1};~!", '"it\'s,{1};~!"'],
    ['x'.repeat(255), `"${'x'.repeat(255)}"`],
    ['\\'.repeat(255), `"${'\\'.repeat(510)}"`],
  ] as const
  const ids = new Set<number>()
  for (const [bare, quoted] of same) {
    const first = await post(app, bare, ada)
    ids.add(first.json().id)
    sameAnswer(t, await post(app, quoted, ada), first)
  }
  ids.add((await post(app, 'A', ada)).json().id)
  t.equal(ids.size, same.length + 1, 'case matters')
})

t.test('a value that is no key is a 400 that says where', async (t) => {
  const app = await build(t)
  for (const value of [
    '',
    '""',
    '"',
    'a b',
    '"a b"',
    '"a',
    '"a"b"',
    '"a\\b"',
    '"a\\"',
    '"a";x=1',
    'a, b', // Two headers, as Node joins them.
    '"a", "a"',
    'café',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
  ]) {
    const answer = await post(app, value, ada)
    t.equal(answer.statusCode, 400, value)
    const { errors } = answer.json()
    t.equal(errors[0].path, '/headers/idempotency-key')
    t.match(errors[0].message, /1 to 255 visible ASCII characters/)
  }
  t.strictSame(await everybody(app), [])
})

t.test('a key lasts 24 hours, swept or not', async (t) => {
  const app = await build(t)
  const first = await post(app, 'a', ada)
  const shell = await shellOf(t, app)
  await age(shell, DAY - 60)
  sameAnswer(t, await post(app, 'a', ada), first)
  await age(shell, DAY)
  const second = await post(app, 'a', grace)
  t.ok(second.json().id > 1, 'another employee')
  sameAnswer(t, await post(app, 'a', grace), second)
  t.equal(await count(shell), 1)
})

t.test('100,000 keys in 24 hours are all that a client may have', async (t) => {
  const app = await build(t, { apiKeys })
  const shell = await shellOf(t, app)
  const first = await post(app, 'a', ada, write)
  const bytes = dialect === 'sqlite' ? 'CAST(n AS blob)' : "convert_to(n::text, 'UTF8')"
  await shell.run(
    `WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
     INSERT INTO idempotency_keys (client, key, body_hash, employee_id, number)
     SELECT client, ${bytes}, body_hash, employee_id, n FROM numbers, idempotency_keys`,
  )
  const refused = await post(app, 'b', grace, write)
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.match(refused.json().detail, /100,000 keys within 24 hours.*Nothing was changed/)
  const seconds = Number(refused.headers['retry-after'])
  t.ok(seconds > DAY - 60 && seconds <= DAY, `${seconds}`)
  t.equal((await app.inject({ url: '/employees', headers: write })).json().length, 1)
  t.equal(await count(shell), 100_000)

  sameAnswer(t, await post(app, 'a', ada, write), first, 'a key that was used is known')
  t.equal((await post(app, 'b', grace, read)).statusCode, 403)
  const without = { method: 'POST', url: '/employees', payload: grace, headers: write } as const
  t.equal((await app.inject(without)).statusCode, 201, 'and without a key there is no bound')
})

t.test('a POST without the header does not look at the table', async (t) => {
  const app = await build(t)
  await (await shellOf(t, app)).run('DROP TABLE idempotency_keys')
  const { statusCode } = await app.inject({ method: 'POST', url: '/employees', payload: ada })
  t.equal(statusCode, 201)
  t.equal((await post(app, 'a', ada)).statusCode, 500)
})

function post(app: App, key: string, payload: object, headers: object = {}): Promise<Answer> {
  return app.inject({
    method: 'POST',
    url: '/employees',
    headers: { ...headers, 'idempotency-key': key },
    payload,
  })
}

function sameAnswer(t: Test, answer: Answer, first: Answer, why = ''): void {
  const told = ({ statusCode, body, headers: { location, etag } }: Answer) => {
    return { statusCode, body, location, etag }
  }
  t.strictSame(told(answer), told(first), why)
}

async function everybody(app: App): Promise<object[]> {
  return (await app.inject('/employees')).json()
}
