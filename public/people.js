const FIRST =
  'Ada Alan Amara Barbara Carlos Chen Dana Edsger Elif Fatima Frances Grace Hiro Ines Ivan Jean Joan Kwame Leila Linus Margaret Mei Niklaus Noor Olga Priya Radia Sofia Tim Yuki'.split(
    ' ',
  )
const LAST =
  'Allen Almeida Bartik Chaudhry Diaz Eriksen Fischer Garcia Haddad Hamilton Hopper Ito Jansen Kaya Kim Kowalski Lovelace Mensah Moreau Nakamura Novak Okafor Perlman Rossi Silva Singh Turing Wang Wirth Zhou'.split(
    ' ',
  )
/** What somebody in the middle of each earns. */
const DEPARTMENTS = {
  Engineering: 92_000,
  Sales: 68_000,
  Marketing: 64_000,
  Finance: 78_000,
  Legal: 88_000,
  Support: 48_000,
  Operations: 56_000,
  People: 60_000,
}

/** So many people, as `POST /employees` takes them: a few of them earn far more than the others. */
export function people(count) {
  return Array.from({ length: count }, () => {
    const [department, median] = anyOf(Object.entries(DEPARTMENTS))
    const salary = 500 * Math.round((median * Math.exp(0.28 * normal())) / 500)
    return { name: `${anyOf(FIRST)} ${anyOf(LAST)}`, salary, department }
  })
}

function anyOf(list) {
  return list[Math.floor(Math.random() * list.length)]
}

/** A number of the standard normal distribution (Box and Muller). */
function normal() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()))
  return radius * Math.cos(2 * Math.PI * Math.random())
}
