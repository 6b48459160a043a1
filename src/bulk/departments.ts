/** A department, and how its pay compares to the others'. */
export interface Department {
  name: string
  pay: number
}

const KINDS: [name: string, pay: number][] = [
  ['Engineering', 1.3],
  ['Sales', 1.05],
  ['Customer Support', 0.75],
  ['Operations', 0.9],
  ['Manufacturing', 0.8],
  ['Marketing', 1],
  ['Finance', 1.15],
  ['Human Resources', 0.9],
  ['Product Management', 1.3],
  ['Research and Development', 1.25],
  ['Information Technology', 1.1],
  ['Logistics', 0.75],
  ['Quality Assurance', 0.95],
  ['Legal', 1.35],
  ['Procurement', 0.9],
  ['Data Science', 1.35],
  ['Design', 1.05],
  ['Security', 1.15],
  ['Facilities', 0.7],
  ['Business Development', 1.1],
  ['Accounting', 0.95],
  ['Public Relations', 0.95],
  ['Training', 0.85],
  ['Internal Audit', 1.1],
  ['Strategy', 1.4],
]

const PLACES = ['North', 'South', 'East', 'West', 'Central', 'Europe', 'Asia', 'Americas', 'Africa']

/** So many departments, their names all different: "Sales", later "Sales North", "Sales North 2". */
export function makeDepartments(count: number): Department[] {
  return Array.from({ length: count }, (_, index) => {
    const [kind, pay] = KINDS[index % KINDS.length] as (typeof KINDS)[number]
    return { name: `${kind}${variant(Math.floor(index / KINDS.length))}`, pay }
  })
}

function variant(round: number): string {
  if (round === 0) return ''
  const place = PLACES[(round - 1) % PLACES.length]
  const number = Math.ceil(round / PLACES.length)
  return number === 1 ? ` ${place}` : ` ${place} ${number}`
}
