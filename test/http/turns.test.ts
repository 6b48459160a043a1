import t from 'tap'
import { Turns } from '../../src/http/turns.js'
import { build } from '../support/build.js'

t.test(
  'each has a turn of the event loop of its own, in the order in which they asked',
  async (t) => {
    const turns = new Turns()
    const happened: string[] = []
    const work = [1, 2, 3].map(async (n) => {
      await turns.next()
      happened.push(`work ${n}`)
      setImmediate(() => happened.push(`behind ${n}`))
    })
    await Promise.all(work)
    t.strictSame(happened.slice(0, 5), ['work 1', 'behind 1', 'work 2', 'behind 2', 'work 3'])
  },
)

t.test('long pages that arrive together let the short requests of others in between', async (t) => {
  const app = await build(t)
  const ada = { name: 'Ada', salary: 1, department: 'Engineering' }
  await app.employees.createMany(Array.from({ length: 1000 }, () => ada))
  const answered: string[] = []
  const ask = async (url: string) => {
    await app.inject(url)
    answered.push(url)
  }
  const pages = Array.from({ length: 60 }, () => ask('/employees?limit=1000'))
  await Promise.all([...pages, ask('/livez')])
  t.ok(answered.indexOf('/livez') < 10, `it was answered as number ${answered.indexOf('/livez')}`)
})
