// slow: a service is killed under load, again and again
import t from 'tap'
import { newDatabase } from '../support/any-database.js'
import { runCrashes } from './crash.js'

t.test('a write that was acknowledged survives SIGKILL at any moment', async (t) => {
  const { cycles, acknowledged, lost } = await runCrashes(t, await newDatabase(t), 5)
  t.comment(`${cycles} kills, ${acknowledged} acknowledged writes`)
  t.ok(acknowledged > 0)
  t.strictSame(lost, [])
})
