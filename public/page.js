import { offerCreation } from './create.js'
import { write } from './element.js'
import { ask, forgetKey, keepKey, key, Refused } from './service.js'
import { showService, showTop } from './show.js'
import { changedSince, showViews } from './views.js'

const REFRESH_MS = 2000
/** Between questions to a service that does not answer, it gets longer up to this. */
const MAX_REFRESH_MS = 30_000
const TOP = '/employees/top2-by-department'

const part = (id) => document.getElementById(id)
let timer
/** Of the last questions: answers to those before it come too late. */
let turn = 0
let failures = 0
let shown
let shownAt
/** Of the top two that are shown: they are asked for when there is another one, and so are not counted all the time. */
let shownVersion

/** Asks how the service is doing, and shows it; then again and again, while somebody can see it. */
async function refresh() {
  clearTimeout(timer)
  const own = ++turn
  try {
    const status = await ask('/status')
    const version = versionOf(status)
    const employees = version === shownVersion ? undefined : await ask(TOP)
    if (own !== turn) return
    showService(status)
    showViews(status)
    if (employees) showTop(employees)
    shown = status
    // Without its database it is not known: what is shown stays.
    shownVersion = version ?? shownVersion
    shownAt = new Date()
    failures = 0
    say(...stateOf(status))
    part('figures').hidden = false
    part('forget').hidden = key() === null
    part('door').hidden = true
  } catch (error) {
    if (own !== turn) return
    if (error instanceof Refused) return askForKey()
    failures++
    const since = shownAt ? `; the figures are those of ${shownAt.toLocaleTimeString()}` : ''
    say('away', `${error.message}${since}. This page tries again by itself.`)
  }
  const wait = Math.min(MAX_REFRESH_MS, REFRESH_MS * 2 ** failures)
  if (!document.hidden) timer = setTimeout(refresh, wait)
}

function stateOf({ database, redis }) {
  if (database === 'away')
    return ['away', 'The database is away: what is shown of it is what it was']
  const live = `Live: asked every ${REFRESH_MS / 1000} seconds`
  return [
    'live',
    redis === 'away' ? `${live}. Redis is away: answers are kept in each process` : live,
  ]
}

/** What is another one whenever the top two have changed, in a database that was put in the place of another one, too. */
function versionOf({ database, views }) {
  if (database === 'away') return shownVersion
  const { changes, changedAt } = views.find(({ path }) => path === TOP) ?? {}
  return `${changes} ${changedAt}`
}

function askForKey() {
  const isNew = key() === null
  forgetKey()
  part('figures').hidden = true
  part('forget').hidden = true
  part('door').hidden = false
  say('away', isNew ? 'The figures need a key' : 'The key was refused (401): it is not known here')
}

/** Said once, not at every refresh: screen readers read it out. */
function say(state, text) {
  part('figures').classList.toggle('old', state !== 'live')
  part('state').className = state
  write(part('state'), text)
}

part('door').addEventListener('submit', (event) => {
  event.preventDefault()
  const value = part('key').value.trim()
  part('door').reset()
  keepKey(value)
  // Nothing else can be sent in a header.
  if (/^[\x21-\x7e]+$/.test(value)) refresh()
  else askForKey()
})
part('forget').addEventListener('click', () => {
  forgetKey()
  location.reload()
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer)
  else refresh()
})
offerCreation(async (change) => {
  await change()
  const before = shown
  await refresh()
  return shown === before ? undefined : changedSince(before, shown)
})

refresh()
