import { element, facts, write } from './element.js'
import { count, more, span } from './words.js'

const DEPARTMENTS = 12
/** Of a department, where ties can make very many. */
const PEOPLE = 3

const STATES = { ok: 'up', away: 'away', off: 'none' }
const NAMES = ['Employees', 'Database', 'Redis', 'Up for', 'Release', 'Processes']
let places

/** How the service is doing, in a few words each. */
export function showService({ at, version, startedAt, workers, database, redis, employees }) {
  places ??= facts(document.querySelector('#service'), NAMES)
  const texts = [
    employees ? count(employees.count) : '–',
    STATES[database],
    STATES[redis],
    span((Date.parse(at) - Date.parse(startedAt)) / 1000),
    version,
    count(workers),
  ]
  for (const [i, text] of texts.entries()) write(places[i], text)
  places[1].className = database
  places[2].className = redis
}

/** Everybody of the view as bars, the departments from the highest salary down. */
export function showTop(employees) {
  const departments = [...Map.groupBy(employees, ({ department }) => department)].sort(
    ([, [a]], [, [b]]) => b.salary - a.salary,
  )
  const highest = departments[0]?.[1][0].salary || 1
  const shown = departments.slice(0, DEPARTMENTS)
  document
    .querySelector('#top')
    .replaceChildren(...shown.map(([name, people]) => departmentOf(name, people, highest)))
  write(document.querySelector('#more'), more(departments.length - DEPARTMENTS, 'department'))
  document.querySelector('#nobody').hidden = employees.length > 0
}

function departmentOf(name, people, highest) {
  const list = people.slice(0, PEOPLE).map(({ name, salary }) => {
    const bar = element('div', { className: 'bar' })
    bar.style.width = `${(100 * salary) / highest}%`
    return element(
      'li',
      { className: 'person' },
      element('span', { dir: 'auto' }, name),
      element('span', {}, count(salary)),
      element('div', { className: 'track', ariaHidden: 'true' }, bar),
    )
  })
  const rest = element('p', { className: 'note' }, more(people.length - PEOPLE, 'colleague'))
  const title = element('h3', { dir: 'auto' }, name)
  return element('div', { className: 'department' }, title, element('ul', {}, ...list), rest)
}
