const DEPARTMENTS = 12
/** Of a department, where ties can make very many. */
const PEOPLE = 3

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** An element with text, which is never read as HTML, or with children. */
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** Each view as a card: so many stand side by side as there is room for. */
export function showViews(views, now) {
  document.querySelector('#views').replaceChildren(...views.map((view) => cardOf(view, now)))
}

function cardOf({ path, changed, hits, misses, filled, fillSeconds }, now) {
  const lines = [
    ['Version changed', ago(changed, now)],
    ['Hits', numbers.format(hits)],
    ['Misses', numbers.format(misses)],
    ['Last fill', filled === undefined ? 'not yet' : ago(filled, now)],
    ['A fill takes', fillSeconds === undefined ? '–' : duration(fillSeconds)],
  ]
  const list = lines.map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value)),
  )
  const title = element('h3', {}, path)
  return element('article', { className: 'view' }, title, element('dl', {}, ...list))
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
  document.querySelector('#more').textContent = more(departments.length - DEPARTMENTS, 'department')
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
      element('span', {}, numbers.format(salary)),
      element('div', { className: 'track', ariaHidden: 'true' }, bar),
    )
  })
  const rest = element('p', { className: 'note' }, more(people.length - PEOPLE, 'colleague'))
  const title = element('h3', { dir: 'auto' }, name)
  return element('div', { className: 'department' }, title, element('ul', {}, ...list), rest)
}

function more(count, what) {
  return count > 0 ? `and ${numbers.format(count)} more ${what}${count > 1 ? 's' : ''}` : ''
}

function ago(time, now) {
  const at = new Date(1000 * time)
  const seconds = Math.max(0, now - time)
  const [size, unit] =
    [
      [86_400, 'd'],
      [3600, 'h'],
      [60, 'min'],
      [1, 's'],
    ].find(([size]) => seconds >= size) ?? []
  const text = seconds < 1 ? 'just now' : `${Math.floor(seconds / size)} ${unit} ago`
  return element('time', { dateTime: at.toISOString(), title: at.toLocaleString() }, text)
}

function duration(seconds) {
  return seconds < 1 ? `${short.format(1000 * seconds)} ms` : `${short.format(seconds)} s`
}
