import { write } from './element.js'
import { people } from './people.js'
import { ask, Refused } from './service.js'
import { count } from './words.js'

const form = document.querySelector('#create')
const outcome = document.querySelector('#outcome')
const fill = document.querySelector('#fill')

/** As many as one request may create. */
const MANY = 1000

/**
 * Lets visitors create somebody, or many at once while there is nobody.
 *
 * @param changes does something that may change views, and resolves to the paths of those that it changed, if they are known
 */
export function offerCreation(changes) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const { name, department, salary } = Object.fromEntries(new FormData(form))
    create(
      form.querySelector('button'),
      { name: name.trim(), salary: Number(salary), department: department.trim() },
      (created) => {
        form.reset()
        return `${created.name} is employee ${created.id}.`
      },
    )
  })
  fill.addEventListener('click', () => {
    create(fill, people(MANY), ({ length }) => `${count(length)} people were created.`)
  })

  /** Sends it, once at a time, and says what became of it. */
  async function create(button, body, done) {
    button.disabled = true
    say('')
    for (const field of fields()) field.removeAttribute('aria-invalid')
    try {
      let created
      const paths = await changes(async () => {
        created = await ask('/employees', body)
      })
      say(`${done(created)} ${told(paths)}`.trim())
      // The button may be there no more.
      if (button.offsetParent === null) outcome.focus()
    } catch (error) {
      fail(error)
    } finally {
      button.disabled = false
    }
  }
}

function told(paths) {
  if (!paths) return ''
  if (paths.length === 0) return 'No cached view shows that, so all of them stay.'
  return `Changed: ${paths.join(', ')}.`
}

/** What is wrong with a field is said of it. */
function fail(error) {
  if (error instanceof Refused) return say('This needs a key that may write.', true)
  const { detail, errors = [] } = error.problem ?? {}
  for (const { path } of errors) {
    fields()
      .find(({ name }) => path === `/body/${name}`)
      ?.setAttribute('aria-invalid', 'true')
  }
  form.querySelector('[aria-invalid]')?.focus()
  say(
    errors.map(({ path, message }) => `${path.split('/').at(-1)} ${message}`).join('; ') ||
      detail ||
      error.message,
    true,
  )
}

function fields() {
  return [...form.querySelectorAll('input')]
}

function say(text, isFailure = false) {
  outcome.className = isFailure ? 'away' : ''
  write(outcome, text)
}
