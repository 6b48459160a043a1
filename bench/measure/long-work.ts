import type { Work } from './pauses.js'

const [url, work] = process.argv.slice(2) as [string, Work]
let stopped = false
let times = 0
process.once('message', () => {
  stopped = true
})

/** Asks for a long answer again and again, in a process of its own, and says how often it had one. */
while (!stopped) {
  // A raise of somebody whom the view shows, or will.
  if (work === 'fill') await raise()
  const answer = await fetch(url + (work === 'list' ? '/employees' : '/employees/high-salary'))
  if (!answer.ok) throw new Error(`${answer.url} gave ${answer.status}`)
  if (times++ === 0) process.send?.('begun')
  for await (const _chunk of answer.body ?? []) if (stopped && times > 1) break
}
process.send?.(times, () => process.exit())

async function raise(): Promise<void> {
  const answer = await fetch(`${url}/employees/1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ salary: 200_000 + times }),
  })
  await answer.arrayBuffer()
}
