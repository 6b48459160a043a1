const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const percents = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
]

export function count(number) {
  return numbers.format(number)
}

/** Answers per second. */
export function perSecond(number) {
  return number === undefined ? '–' : `${short.format(number)}/s`
}

/** @param share 0 to 1 */
export function percent(share) {
  return share === undefined ? '–' : percents.format(share)
}

/** A long time, in its largest unit. */
export function span(seconds) {
  const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? [1, 's']
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`
}

/** How long ago a moment was, by the clock that tells what is now: that of a visitor may be wrong. */
export function ago(time, now) {
  if (time === undefined) return 'not yet'
  const seconds = (Date.parse(now) - Date.parse(time)) / 1000
  return seconds < 1 ? 'just now' : `${span(seconds)} ago`
}

/** A short time. */
export function duration(seconds) {
  return seconds < 1 ? `${short.format(1000 * seconds)} ms` : `${short.format(seconds)} s`
}

export function more(count, what) {
  return count > 0 ? `and ${numbers.format(count)} more ${what}${count > 1 ? 's' : ''}` : ''
}
