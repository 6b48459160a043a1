// no database: it compares a formula with the page that explains it
import t from 'tap'
import { roundTripOf, trainsAt } from '../../bench/measure/scale.js'
import { documented } from '../support/documented.js'

t.test('the benchmark has the model of the page: trains of a process', async (t) => {
  const [, formula = ''] = /= (.*?) {2,}/.exec(documented('the model of trains')) ?? []
  const inJavaScript = formula.replaceAll('exp', 'Math.exp').replaceAll('λ T', 'λ * T')
  const byThePage = new Function('λ', 'T', `return ${inJavaScript}`)
  for (const rate of [10, 1000, 100_000]) {
    for (const roundTrip of [0.000_3, 0.001, 0.02]) {
      const trains = trainsAt(rate, roundTrip)
      t.ok(Math.abs(trains - byThePage(rate, roundTrip)) < 1e-6 * trains)
      t.ok(trains <= 1 / roundTrip && trains <= rate)
      t.ok(Math.abs(roundTripOf(rate, trains) - roundTrip) < 0.01 * roundTrip + 1e-9)
    }
  }
})

t.test('what the page says of writes is what its formula gives', async (t) => {
  t.equal(
    documented('the model of writes').trim(),
    'writes/s of all processes together, at most = 256 / (2 T + C)',
  )
  t.equal(256 / (2 * 0.001 + 0.002), 64_000)
})
