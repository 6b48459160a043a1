// no database: the contract is the same
import { readFileSync } from 'node:fs'
import t from 'tap'
import { build } from '../support/build.js'

t.test('openapi.json is what the routes declare (npm run openapi)', async (t) => {
  const app = await build(t)
  const committed = readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')
  const served = await app.inject('/openapi.json')
  t.equal(served.statusCode, 200)
  t.strictSame(JSON.parse(committed), served.json())
})
