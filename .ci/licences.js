// Whether what the service brings along, its production dependencies, is under licences that ask for no more
// than to be named: npm run licences. By package-lock.json, so that nothing has to be installed.
import { readFileSync } from 'node:fs'

/** By their names in SPDX (https://spdx.org/licenses). */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
])

const lock = process.argv[2] ?? new URL('../package-lock.json', import.meta.url)
const { packages } = JSON.parse(readFileSync(lock, 'utf8'))
const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev)
const refused = production.filter(([, { license = '' }]) => !isAllowed(license))
for (const [path, { license = 'none' }] of refused) {
  console.error(`${path}: ${license} is not among the licences that .ci/licences.js allows`)
}
if (refused.length > 0) process.exitCode = 1
else console.log(counted(production))

/**
 * Of "(A OR B) AND C" a side of each OR is enough.
 *
 * @param {string} expression of SPDX
 */
function isAllowed(expression) {
  const text = expression.replace(/\(([^()]*)\)/g, (_, inner) => (isAllowed(inner) ? 'MIT' : '?'))
  if (text !== expression) return isAllowed(text)
  return text
    .split(' OR ')
    .some((side) => side.split(' AND ').every((name) => ALLOWED.has(name.trim())))
}

function counted(production) {
  const counts = Object.entries(Object.groupBy(production, ([, { license }]) => license))
    .map(([license, { length }]) => [license, length])
    .sort(([, one], [, other]) => other - one)
    .map(([license, count]) => `${count} ${license}`)
  return `${production.length} production dependencies: ${counts.join(', ')}`
}
