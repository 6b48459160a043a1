// slow: a service is killed under load, again and again
import { join } from 'node:path'
import t from 'tap'
import { temporaryDirectory } from '../support/build.js'
import { runCrashes } from './crash.js'

t.test('a write that was acknowledged survives SIGKILL at any moment', async (t) => {
  const path = join(await temporaryDirectory(t), 'employees.db')
  const { cycles, acknowledged, lost } = await runCrashes(t, path, 5)
  t.comment(`${cycles} kills, ${acknowledged} acknowledged writes`)
  t.ok(acknowledged > 0)
  t.strictSame(lost, [])
})
