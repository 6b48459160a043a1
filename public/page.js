import { viewsOf } from './figures.js'
import { showTop, showViews } from './show.js'

const REFRESH_MS = 3000
const TIMEOUT_MS = 10_000
const KEY = 'employees-key'

const part = (id) => document.getElementById(id)
let timer
/** Of the last questions: answers to those before it come too late. */
let turn = 0
let shownAt

class Refused extends Error {}

async function refresh() {
  clearTimeout(timer)
  const own = ++turn
  const key = sessionStorage.getItem(KEY)
  try {
    const [metrics, top] = await Promise.all([
      ask('/metrics', key),
      ask('/employees/top2-by-department', key),
    ])
    const [text, employees] = await Promise.all([metrics.text(), top.json()])
    if (own !== turn) return
    // By the clock of the service: that of the visitor may be wrong.
    const now = Date.parse(metrics.headers.get('date')) / 1000
    showViews(viewsOf(text), now)
    showTop(employees)
    shownAt = new Date()
    say('live', `Live: asked every ${REFRESH_MS / 1000} seconds`)
    part('figures').hidden = false
    part('forget').hidden = key === null
    showCreation(key !== null)
    part('door').hidden = true
  } catch (error) {
    if (own !== turn) return
    if (error instanceof Refused) return askForKey(key)
    const since = shownAt ? `; the figures are those of ${shownAt.toLocaleTimeString()}` : ''
    say('away', `${error.message}${since}. This page tries again by itself.`)
  }
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS)
}

async function ask(path, key) {
  const headers = key === null ? {} : { authorization: `Bearer ${key}` }
  let answer
  try {
    answer = await fetch(path, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch {
    throw new Error('The service cannot be reached')
  }
  if (answer.status === 401) throw new Refused()
  if (!answer.ok) throw new Error(`The service is away for now (${answer.status})`)
  return answer
}

function askForKey(key) {
  sessionStorage.removeItem(KEY)
  part('figures').hidden = true
  part('forget').hidden = true
  part('door').hidden = false
  const refused = 'The key was refused (401): it is not known here'
  say('away', key === null ? 'The figures need a key' : refused)
}

/** Said once, not at every refresh: screen readers read it out. */
function say(state, text) {
  const { classList } = part('figures')
  classList.toggle('old', state !== 'live')
  part('state').className = state
  if (part('state').textContent !== text) part('state').textContent = text
}

part('door').addEventListener('submit', (event) => {
  event.preventDefault()
  const key = part('key').value.trim()
  part('door').reset()
  // Nothing else can be sent in a header.
  if (!/^[\x21-\x7e]+$/.test(key)) return askForKey(key)
  sessionStorage.setItem(KEY, key)
  refresh()
})
part('forget').addEventListener('click', () => {
  sessionStorage.removeItem(KEY)
  location.reload()
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer)
  else refresh()
})

/** Shows how to create somebody. With keys it takes one that may write, and none is shown on a screen. */
function showCreation(needsKey) {
  const lines = [
    `curl ${location.origin}/employees`,
    ...(needsKey ? ['-H "Authorization: Bearer $KEY"'] : []),
    "-H 'content-type: application/json'",
    `-d '{"name":"Ada Lovelace","salary":180000,"department":"Engineering"}'`,
  ]
  const text = lines.join(' \\\n  ')
  // Not at every refresh, which would undo what is selected to be copied.
  if (part('create').textContent !== text) part('create').textContent = text
  part('create-note').hidden = !needsKey
}

refresh()
