import { write } from './element.js'
import { ask, Refused } from './service.js'

const form = document.querySelector('#create')
const outcome = document.querySelector('#outcome')

/**
 * Lets visitors create somebody.
 *
 * @param changes does something that may change views, and resolves to the paths of those that it changed, if they are known
 */
export function offerCreation(changes) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const { name, department, salary } = Object.fromEntries(new FormData(form))
    const employee = { name, salary: Number(salary), department }
    const button = form.querySelector('button')
    button.disabled = true
    say('')
    for (const field of fields()) field.removeAttribute('aria-invalid')
    try {
      let created
      const paths = await changes(async () => {
        created = await ask('/employees', employee)
      })
      form.reset()
      say(`${created.name} is employee ${created.id}. ${told(paths)}`.trim())
    } catch (error) {
      fail(error)
    } finally {
      button.disabled = false
    }
  })
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
