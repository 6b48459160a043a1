// no database: it reads a configuration, and asks a script for help
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { outcome } from '../support/outcome.js'

const FOLDER = new URL('../../../ops/patroni/', import.meta.url)
/** What of patroni.yaml each node has for itself. */
const PLACE = /\$\{[A-Z_]+\}/g

const template = await readFile(new URL('patroni.yaml', FOLDER), 'utf8')
const script = await readFile(new URL('run.sh', FOLDER), 'utf8')
const readme = await readFile(new URL('README.md', FOLDER), 'utf8')
const { stdout: help } = await run('--help')
const { stdout: shown } = await run('--show-configuration')
const configuration = parse(shown)

t.test('nothing is acknowledged without a standby, and no disk is believed', async (t) => {
  const { dcs, initdb } = configuration.bootstrap
  t.match(dcs, { synchronous_mode: true, synchronous_mode_strict: true })
  t.match(dcs.postgresql, { use_pg_rewind: true, parameters: { synchronous_commit: 'on' } })
  t.ok(initdb.includes('data-checksums'))
  t.strictSame(initdb[0], { encoding: 'UTF8' })
})

t.test('a leader is replaced no sooner than Patroni can ask it to step down', async (t) => {
  const { ttl, loop_wait, retry_timeout } = configuration.bootstrap.dcs
  t.ok(loop_wait + 2 * retry_timeout <= ttl)
  const [, json = ''] = /--data '(\{.*?\})'/.exec(script) ?? []
  const short = JSON.parse(json)
  t.ok(short.loop_wait + 2 * short.retry_timeout <= short.ttl)
  t.match(help, `${short.ttl} (for a short demonstration)`)
  t.match(help, `or ${ttl}, as in patroni.yaml`)
})

t.test('a password is asked of everybody, and never sent', async (t) => {
  for (const line of configuration.postgresql.pg_hba) t.match(line, /^host .* scram-sha-256$/)
  t.equal(configuration.postgresql.parameters.password_encryption, 'scram-sha-256')
})

t.test('everything that a node has for itself is filled in', async (t) => {
  const places = new Set(template.match(PLACE))
  t.ok(places.size > 5)
  for (const place of places) t.ok(script.includes(`s|\\${place}|`), place)
  t.notMatch(shown, PLACE)
})

t.test('no port is used twice, and none is open to other machines', async (t) => {
  const { restapi, postgresql, etcd3 = configuration.etcd } = configuration
  const addresses = [restapi.listen, postgresql.listen, etcd3.host]
  t.equal(new Set(addresses).size, 3)
  for (const address of addresses) t.match(address, /^127\.0\.0\.1:\d+$/)
})

t.test('its help has every option that it knows', async (t) => {
  const options = script.match(/^ +(--[\w-]+)(?=\))/gm)?.map((each) => each.trim()) ?? []
  t.ok(options.length > 3)
  for (const option of options) t.match(help, new RegExp(`^ +${option}\\b`, 'm'))
  for (const [, option] of readme.matchAll(/run\.sh (--[\w-]+)/g))
    t.ok(options.includes(`${option}`))
})

t.test('what is no option is refused', async (t) => {
  for (const wrong of [['--nothing'], ['--ttl'], ['--ttl', '1']]) {
    t.match(await run(...wrong), { code: 2, stdout: '', stderr: /--help/ })
  }
})

t.test('its page has every event of the script', async (t) => {
  const events = [...script.matchAll(/^begin '\d\. (.*)'$/gm)].map(([, event = '']) => event)
  t.ok(events.length > 3)
  for (const event of events) t.ok(readme.includes(`| ${event} |`), event)
})

function run(...options: string[]) {
  return outcome(spawn(fileURLToPath(new URL('run.sh', FOLDER)), options))
}
