// slow: a service is traced under load, and what a power cut leaves is opened again and again
import t from 'tap'
import { whyNoTrace } from '../../support/strace.js'
import { runPowerCuts } from './power-cuts.js'

const skip = whyNoTrace() ?? false
const STORMS = {
  'a new database': { writes: 250, employees: 0, processes: 1, longLog: false },
  'a database of two processes': { writes: 250, employees: 300, processes: 2, longLog: false },
}

for (const [what, storm] of Object.entries(STORMS)) {
  t.test(`${what}: what was acknowledged survives a power cut`, { skip }, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const { acknowledged, cuts, atRisk, lost } = await runPowerCuts(t, 30, seed, storm)
    t.comment(`seed ${seed}: ${cuts} cuts, ${acknowledged} acknowledged writes`)
    t.ok(acknowledged > 0)
    t.ok(atRisk > 0)
    t.strictSame(lost, [])
  })
}
