import { Chart } from './chart.js'
import { element, facts, write } from './element.js'
import { History, hitRatio, joined, outcomesOf, rate } from './figures.js'
import { ago, count, duration, percent, perSecond } from './words.js'

/** A hit ratio is that of so many seconds: of a single question it would be all or nothing. */
const RATIO_SECONDS = 10
const MINUTES = 5
const WHAT = { whole: 'all of it', parts: 'what had changed' }

const history = new History()
const cards = new Map()

/** Each view as a card: so many stand side by side as there is room for. */
export function showViews(status) {
  history.add(status)
  for (const view of status.views) {
    let card = cards.get(view.name)
    if (!card) {
      card = new Card(view.path)
      cards.set(view.name, card)
      document.querySelector('#views').append(card.element)
    }
    card.show(view, history.spans(view.name), status.at)
  }
}

/** The cached views that have changed since an answer of `/status`, by their paths. */
export function changedSince(before, after) {
  const versions = new Map(before.views.map(({ name, changes }) => [name, changes]))
  return after.views
    .filter(({ name, changes }) => changes !== versions.get(name))
    .map(({ path }) => path)
}

class Card {
  #rates = new Chart()
  #ratios = new Chart()
  #rate = element('strong')
  #ratio = element('strong')
  #highest = element('span')
  #facts
  #rows
  #changes

  constructor(path) {
    const list = element('dl')
    this.#facts = facts(list, [
      'Last changed',
      'Last fill',
      'Hits',
      'Renewed by parts',
      'Read as a whole',
    ])
    const { table, rows } = tableOf(path)
    this.#rows = rows
    this.element = element(
      'article',
      { className: 'card view' },
      element('h3', {}, path),
      element(
        'div',
        { className: 'charts' },
        figureOf('Answers per second', this.#rate, this.#rates, this.#highest),
        figureOf('Hit ratio', this.#ratio, this.#ratios, element('span', {}, '100%')),
      ),
      list,
      table,
    )
    this.#ratios.svg.classList.add('ratio')
  }

  show({ path, answers, changes, changedAt, fill }, spans, now) {
    const rates = spans.map((span) => [span.ago, rate(span)])
    const highest = Math.max(1, ...rates.map(([, value]) => value))
    const ratios = spans.map(({ ago }) => [ago, ratioOf(joined(spans, ago, ago + RATIO_SECONDS))])
    const lately = joined(spans, 0, RATIO_SECONDS)
    const [perSecondNow, ratioNow] = [perSecond(lately && rate(lately)), percent(ratioOf(lately))]
    const beginning = `${path}, over the last ${MINUTES} minutes:`
    this.#rates.draw(
      rates,
      highest,
      `Answers of ${beginning} ${perSecondNow} now, ${perSecond(highest)} at the upper edge`,
    )
    this.#ratios.draw(ratios, 1, `Hit ratio of ${beginning} ${ratioNow} now`)
    write(this.#rate, perSecondNow)
    write(this.#ratio, ratioNow)
    write(this.#highest, perSecond(highest))

    const { hits, parts, whole } = outcomesOf(answers)
    const texts = [
      ago(changedAt, now),
      fill ? `${duration(fill.seconds)} for ${WHAT[fill.what]}, ${ago(fill.at, now)}` : 'not yet',
      count(hits),
      count(parts),
      count(whole),
    ]
    for (const [i, text] of texts.entries()) write(this.#facts[i], text)
    for (const [minute, row] of this.#rows.entries()) {
      const span = joined(spans, 60 * minute, 60 * (minute + 1))
      write(row[0], perSecond(span && rate(span)))
      write(row[1], percent(ratioOf(span)))
    }
    if (this.#changes !== undefined && changes !== undefined && changes !== this.#changes)
      this.#flash()
    this.#changes = changes ?? this.#changes
  }

  /** Shows for a moment that the view has changed. */
  #flash() {
    this.element.classList.remove('changed')
    // Else the animation would not begin anew.
    void this.element.offsetWidth
    this.element.classList.add('changed')
  }
}

function ratioOf(span) {
  return span && hitRatio(span)
}

function figureOf(name, value, chart, highest) {
  return element(
    'div',
    { className: 'figure' },
    element('p', { className: 'name' }, element('span', {}, name), value),
    element('div', { className: 'plot' }, chart.svg, highest),
    element(
      'p',
      { className: 'axis', ariaHidden: 'true' },
      element('span', {}, `${MINUTES} min ago`),
      element('span', {}, 'now'),
    ),
  )
}

/** What the charts show, for who would rather read it, and for who cannot see. */
function tableOf(path) {
  const rows = []
  const body = element('tbody')
  for (let minute = 0; minute < MINUTES; minute++) {
    const cells = [element('td'), element('td')]
    const title = minute === 0 ? 'The last minute' : `${minute} to ${minute + 1} min ago`
    body.append(element('tr', {}, element('th', { scope: 'row' }, title), ...cells))
    rows.push(cells)
  }
  const heads = ['When', 'Answers', 'Hit ratio'].map((name) =>
    element('th', { scope: 'col' }, name),
  )
  const table = element(
    'table',
    {},
    element('caption', {}, `${path} by the minute`),
    element('thead', {}, element('tr', {}, ...heads)),
    body,
  )
  return { rows, table: element('details', {}, element('summary', {}, 'By the minute'), table) }
}
