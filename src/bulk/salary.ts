// A group of three after a leading zero ("0,123") is a decimal comma rather than a thousand.
const AMOUNT = /^-?(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i
const CURRENCY_SIGN = /^\p{Sc}\s*|\s*\p{Sc}$/u

/**
 * Reads a salary as files have it: `123456.78`, `$123,456.78`, ` 120,000 € `. Whether it is one that
 * an employee can have is for the schema to say.
 *
 * @returns undefined if it is no number, or if its commas do not separate thousands
 */
export function parseSalary(text: string): number | undefined {
  const amount = text.trim().replace(CURRENCY_SIGN, '')
  return AMOUNT.test(amount) ? Number(amount.replaceAll(',', '')) : undefined
}
