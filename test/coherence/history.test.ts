// no database: it judges numbers
import t from 'tap'
import { History } from './history.js'

t.test('a read that shows all that was acknowledged is right', async (t) => {
  const history = new History(1)
  history.write(0).acknowledged()
  history.read('here')([1])
  t.strictSame(history.violations, [])
})

t.test('a read that misses an acknowledged write is stale', async (t) => {
  const history = new History(1)
  history.write(0).acknowledged()
  history.read('here')([0])
  t.strictSame(history.violations, ['here: writer 0 at 0, stale: 1 was there'])
})

t.test('a read that began before the acknowledgement may miss the write, or show it', async (t) => {
  const history = new History(1)
  const { acknowledged } = history.write(0)
  const [one, other] = [history.read('here'), history.read('there')]
  acknowledged()
  one([0])
  other([1])
  t.strictSame(history.violations, [])
})

t.test('what one reader saw, a later one must see', async (t) => {
  const history = new History(1)
  history.write(0)
  history.read('here')([1])
  history.read('there')([0])
  t.equal(history.violations.length, 1)
})

t.test('nobody may see what was not written', async (t) => {
  const history = new History(1)
  history.read('here')([1])
  t.equal(history.violations.length, 1)
})
