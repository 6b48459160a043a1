// no database: it counts milliseconds
import t from 'tap'
import { Heartbeat, PING_MS, SILENT_MS } from '../../src/workers/heartbeat.js'

/** Asks of it as the primary does, each second after a time; gives who was silent then. */
function* from(start: number, heartbeat: Heartbeat<string>) {
  for (let now = start; ; now += PING_MS) yield { now, silent: heartbeat.silent(now) }
}

t.test('who has not answered for five seconds hangs, and nobody else', async (t) => {
  const heartbeat = new Heartbeat<string>()
  heartbeat.expect('answers', 0)
  heartbeat.expect('hangs', 0)
  for (const { now, silent } of from(0, heartbeat)) {
    heartbeat.hear('answers', now)
    t.strictSame(silent, now <= SILENT_MS ? [] : ['hangs'], `${now}`)
    if (silent.length > 0) break
  }
  heartbeat.forget('hangs')
  t.strictSame(heartbeat.silent(7000), [], 'nor who was killed already')
  heartbeat.hear('hangs', 7000)
  for (const { now, silent } of from(8000, heartbeat)) {
    heartbeat.hear('answers', now)
    t.strictSame(silent, [], 'and whose answer comes late')
    if (now > 20_000) break
  }
})

t.test('who is busy for two seconds does not hang', async (t) => {
  const heartbeat = new Heartbeat<string>()
  heartbeat.expect('busy', 0)
  for (const { now, silent } of from(0, heartbeat)) {
    if (now % 3000 === 0) heartbeat.hear('busy', now)
    t.strictSame(silent, [])
    if (now > 60_000) break
  }
})

t.test('who still starts does not hang, however long it takes', async (t) => {
  const heartbeat = new Heartbeat<string>()
  for (const { now, silent } of from(0, heartbeat)) {
    t.strictSame(silent, [])
    if (now === 60_000) heartbeat.expect('starts', now)
    if (now === 60_000 + SILENT_MS) break
  }
})

t.test('who could not be heard, since the primary stood still, has another turn', async (t) => {
  const heartbeat = new Heartbeat<string>()
  heartbeat.expect('worker', 0)
  t.strictSame(heartbeat.silent(1000), [])
  for (const { now, silent } of from(60_000, heartbeat)) {
    t.strictSame(silent, now <= 60_000 + SILENT_MS ? [] : ['worker'], `${now}`)
    if (silent.length > 0) break
  }
})
