/** What can be wrong with a field: each code with what it means, and the rules of JSON Schema that it tells of. */
const all = {
  required: { meaning: 'It is needed, and missing.', keywords: ['required', 'needed'] },
  unknown: {
    meaning: 'There is no such field here.',
    keywords: ['additionalProperties', 'unevaluatedProperties', 'propertyNames'],
  },
  wrong_type: { meaning: 'It is of another JSON type than it must be.', keywords: ['type'] },
  blank: { meaning: 'It is text of which nothing can be seen.', keywords: [] },
  malformed: {
    meaning: 'It is not of the form that is described.',
    keywords: ['pattern', 'format'],
  },
  too_short: {
    meaning: 'It has too few characters or items.',
    keywords: ['minLength', 'minItems'],
  },
  too_long: {
    meaning: 'It has too many characters or items.',
    keywords: ['maxLength', 'maxItems'],
  },
  too_small: {
    meaning: 'It is below the smallest value that it may have.',
    keywords: ['minimum', 'exclusiveMinimum'],
  },
  too_large: {
    meaning: 'It is above the largest value that it may have.',
    keywords: ['maximum', 'exclusiveMaximum'],
  },
  not_allowed: {
    meaning: 'It is none of the values that it may have.',
    keywords: ['enum', 'const'],
  },
  invalid_cursor: {
    meaning: 'It is no cursor of a Link header; read from the first page on.',
    keywords: ['cursor'],
  },
  not_served: {
    meaning:
      'No index serves it together with the rest of the query; `message` says what is served.',
    keywords: ['served'],
  },
  gone: {
    meaning: 'It names somebody who is there no more.',
    keywords: ['gone'],
  },
  invalid: { meaning: 'It breaks another rule, of which `message` tells.', keywords: [] },
} satisfies Record<string, { meaning: string; keywords: string[] }>

export type FieldCode = keyof typeof all

export const fieldCodes: { readonly [code in FieldCode]: { meaning: string; keywords: string[] } } =
  all

export const fieldCodeNames = Object.keys(all) as FieldCode[]

const byKeyword = new Map(
  fieldCodeNames.flatMap((code) => fieldCodes[code].keywords.map((word) => [word, code] as const)),
)

/** Spaces, and what has no width. */
const UNSEEN = /^[\p{Z}\p{Cf}]+$/u

/** The code of a value that breaks a rule of JSON Schema. */
export function fieldCodeOf(keyword: string, value: unknown): FieldCode {
  if (keyword === 'pattern' && UNSEEN.test(String(value))) return 'blank'
  return byKeyword.get(keyword) ?? 'invalid'
}
