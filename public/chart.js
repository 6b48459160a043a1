import { WINDOW } from './figures.js'

const SVG = 'http://www.w3.org/2000/svg'
const WIDTH = 300
const HEIGHT = 48

/** A line over the last minutes, with the area below it; its right edge is now. */
export class Chart {
  svg = make('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
  })
  #area = make('path', { class: 'area' })
  #line = make('path', { class: 'line' })

  constructor() {
    this.svg.append(this.#area, this.#line)
  }

  /**
   * Draws it anew.
   *
   * @param points how many seconds ago, and the value, undefined in a gap; the earliest first
   * @param highest the value at the upper edge
   * @param label what a screen reader reads
   */
  draw(points, highest, label) {
    const runs = runsOf(points).map((run) =>
      run.map(([ago, value]) => [x(ago), y(value / highest)]),
    )
    this.#line.setAttribute('d', runs.map(path).join(''))
    this.#area.setAttribute('d', runs.map(closed).join(''))
    this.svg.setAttribute('aria-label', label)
  }
}

function make(name, attributes) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

/** What is between the gaps; a point that stands alone is a short dash. */
function runsOf(points) {
  const runs = [[]]
  for (const point of points) {
    if (point[1] === undefined) runs.push([])
    else runs.at(-1).push(point)
  }
  return runs
    .filter(({ length }) => length > 0)
    .map((run) => (run.length > 1 ? run : [[run[0][0] + 2, run[0][1]], run[0]]))
}

function x(ago) {
  return round(WIDTH * (1 - ago / WINDOW))
}

/** The line itself has its place at either edge. */
function y(share) {
  return round(1.5 + (HEIGHT - 3) * (1 - Math.min(1, share)))
}

function round(number) {
  return Math.round(10 * number) / 10
}

function path(run) {
  return `M${run.map((point) => point.join(' ')).join('L')}`
}

function closed(run) {
  return `${path(run)}V${HEIGHT}H${run[0][0]}Z`
}
