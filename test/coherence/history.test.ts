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

t.test('what was answered as not done is never there', async (t) => {
  const history = new History(1)
  history.write(0).refused()
  history.read('here')([0])
  t.strictSame(history.violations, [])
  history.read('here')([1])
  t.strictSame(history.violations, ['here: writer 0 at 1, which was answered as not done'])
})

t.test('of a write that was not answered either outcome is right, and then stays', async (t) => {
  const history = new History(1)
  history.write(0)
  history.read('here')([0])
  history.read('here')([1])
  t.strictSame(history.violations, [])
  history.read('here')([0])
  t.equal(history.violations.length, 1)
})

t.test('a read that can show one writer is judged by that one', async (t) => {
  const history = new History(2)
  history.write(0).acknowledged()
  history.write(1).acknowledged()
  history.read('here', 1)([0, 1])
  t.strictSame(history.violations, [])
  history.read('here', 1)([1])
  t.strictSame(history.violations, ['here: writer 1 at 0, stale: 1 was there'])
})
