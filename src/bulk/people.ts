import { fakerEN, generateMersenne53Randomizer } from '@faker-js/faker'
import type { EmployeeCreate } from '../employees/schemas.js'
import { type Department, makeDepartments } from './departments.js'

/** What half of the people at the first level in a department of average pay earn less than. */
const MEDIAN = 46_000

/** The levels of a career: the share of the people, the factor on pay, and its spread. */
const LEVELS = [
  { share: 0.4, pay: 1, spread: 0.13 },
  { share: 0.34, pay: 1.3, spread: 0.15 },
  { share: 0.18, pay: 1.65, spread: 0.17 },
  { share: 0.06, pay: 2.15, spread: 0.2 },
  { share: 0.0185, pay: 3, spread: 0.25 },
  { share: 0.0015, pay: 5.5, spread: 0.45 },
] as const
type Level = (typeof LEVELS)[number]
const TOP = LEVELS[LEVELS.length - 1] as Level

const { first_name, last_name } = fakerEN.definitions.person
const FIRST_NAMES = [...(first_name.female ?? []), ...(first_name.male ?? [])]
const LAST_NAMES = last_name.generic ?? []

type Random = () => number

/**
 * Makes people as they could be: names out of Faker's lists (a call of Faker for each would take
 * most of the time), salaries log-normal by department and level, so that roughly one in ten earns
 * more than 100,000 and very few many times that. Most are rounded, so that some are equal.
 *
 * The same numbers make the same people, as long as Faker's lists stay the same.
 */
export function* makePeople(
  count: number,
  departmentCount: number,
  seed: number,
): Generator<EmployeeCreate> {
  const randomizer = generateMersenne53Randomizer(seed)
  const random = () => randomizer.next()
  const departments = makeDepartments(departmentCount)
  for (let index = 0; index < count; index++) {
    // Every department has a head before anybody else comes; then some are larger than others.
    const isHead = index < departmentCount
    const place = isHead ? index : Math.floor(departmentCount * random() ** 1.5)
    const department = departments[place] as Department
    const level = isHead ? TOP : pickLevel(random)
    yield {
      name: makeName(random),
      salary: makeSalary(random, department.pay * level.pay, level.spread),
      department: department.name,
    }
  }
}

function pickLevel(random: Random): Level {
  let rest = random()
  for (const level of LEVELS) {
    rest -= level.share
    if (rest < 0) return level
  }
  return TOP
}

function makeName(random: Random): string {
  return `${pick(FIRST_NAMES, random)} ${pick(LAST_NAMES, random)}`
}

/** Log-normal; to the hundred mostly, to the thousand often, to the cent now and then. */
function makeSalary(random: Random, pay: number, spread: number): number {
  const salary = MEDIAN * pay * Math.exp(spread * normal(random))
  const habit = random()
  const step = habit < 0.6 ? 100 : habit < 0.85 ? 1000 : 0.01
  return Math.round(Math.round(salary / step) * step * 100) / 100
}

/** A normally distributed number, by Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function pick(list: readonly string[], random: Random): string {
  return list[Math.floor(list.length * random())] as string
}
