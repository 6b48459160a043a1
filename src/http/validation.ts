import { Readable } from 'node:stream'
import AjvCompiler, { type BuildCompilerFromPool } from '@fastify/ajv-compiler'
import type { TSchema } from '@sinclair/typebox'

/** An integer as it is written in a path or a query, and in no other way: no sign, no leading zero. */
const INTEGER = /^(?:0|[1-9]\d{0,15})$/

/** A number as it is written in a query: digits, and a fraction. */
const NUMBER = /^(?:0|[1-9]\d{0,15})(?:\.\d{1,20})?$/

/** A pattern that no text with a lone surrogate matches: src/employees/schemas.ts says why it is not in it. */
class Pattern extends RegExp {
  override test(text: string): boolean {
    return text.isWellFormed() && super.test(text)
  }
}

/** As Ajv wants its engine: `code` would be the name in source that it writes. */
const pattern = Object.assign((text: string, flags: string) => new Pattern(text, flags), {
  code: 'pattern',
})

/** Errors of an array that are found: as many as a problem tells of. */
const MAX_ERRORS = 20
/** Members that an element of an array may have, known or not: each unknown one is an error. */
const MAX_MEMBERS = 100

/** Keeps what it has compiled: a tenth of a second for each service that a process builds. */
const compiler = AjvCompiler()

/**
 * Builds validators: bodies are taken at their word; parameters and the query are text, of which numbers
 * alone are parsed, and what may be several is an array. (Ajv's own coercion makes 3 of "3 ", "+3", "0x3" and "3e0".) Nothing is
 * filled in or removed; unknown fields are errors where a schema says so, and errors carry the value.
 */
export const buildValidator: BuildCompilerFromPool = (schemas) => {
  const build = compiler(schemas, {
    customOptions: {
      coerceTypes: false,
      // Otherwise Infinity (1e999) is no number, in place of one that is too large.
      strictNumbers: false,
      removeAdditional: false,
      allErrors: true,
      verbose: true,
      code: { regExp: pattern },
    },
  })
  return (given) => {
    const route = given as { httpPart?: string; schema: TSchema }
    switch (route.httpPart) {
      case 'headers':
        return build({ ...route, schema: lowerCased(route.schema) })
      case 'params':
      case 'querystring':
        return parsing(build(route), parsedOf(route.schema))
      case 'body': {
        const [one, many] = alternatives(route.schema, schemas as Record<string, TSchema>)
        if (!one || !many) return build(route)
        // The length of a list is judged without its elements.
        const { $id, ...list } = many
        return oneOrMany(
          build({ ...route, schema: one }),
          build({ ...route, schema: { type: 'object', maxProperties: MAX_MEMBERS } }),
          build({ ...route, schema: { ...list, items: {} } }),
        )
      }
      default:
        return build(route)
    }
  }
}

type Validator = ReturnType<ReturnType<typeof AjvCompiler>>

/** What a named schema lets through: one thing, or an array of such. */
function alternatives({ $ref }: TSchema, schemas: Record<string, TSchema>): TSchema[] {
  const named = (reference = '') => schemas[reference.replace(/#$/, '')]
  const { oneOf = [] } = named($ref) ?? ({} as TSchema)
  return oneOf.flatMap((each: TSchema) => named(each.$ref) ?? [])
}

/**
 * Judges an array by its length, and its elements one by one, up to so many errors as are told of: Ajv would
 * find all that a large body has. What is no array is judged as one thing.
 */
function oneOrMany(
  one: ReturnType<Validator>,
  size: ReturnType<Validator>,
  length: ReturnType<Validator>,
) {
  const validate = (data: unknown) => {
    // Lines are judged as they come (src/http/ndjson.ts).
    const isGood = data instanceof Readable || (!Array.isArray(data) && one(data))
    validate.errors = Array.isArray(data) ? errorsOf(data) : isGood ? null : one.errors
    return !validate.errors
  }
  validate.errors = null as typeof one.errors
  return validate as typeof one

  function errorsOf(list: unknown[]): typeof one.errors {
    if (!length(list)) return length.errors
    const errors: NonNullable<typeof one.errors> = []
    for (const [index, element] of list.entries()) {
      const judge = size(element) ? one : size
      if (judge(element)) continue
      for (const error of judge.errors ?? [])
        errors.push({ ...error, instancePath: `/${index}${error.instancePath}` })
      if (errors.length >= MAX_ERRORS) break
    }
    return errors.length > 0 ? errors : null
  }
}

/** As `validate`, behind the parsing of those properties, in place, which are no text. */
function parsing(validate: ReturnType<Validator>, parsed: [name: string, parse: Parse][]) {
  const parse = Object.assign(
    (data: Record<string, unknown>) => {
      for (const [name, parse] of parsed) {
        const text = data[name]
        if (typeof text === 'string') data[name] = parse(text)
      }
      const isValid = validate(data)
      parse.errors = validate.errors
      return isValid
    },
    { errors: validate.errors },
  )
  return parse as typeof validate
}

/** Makes of a text what it stands for; what stands for nothing else stays as it is. */
type Parse = (text: string) => unknown

const PARSES: Record<string, Parse> = {
  integer: (text) => (INTEGER.test(text) ? Number(text) : text),
  number: (text) => (NUMBER.test(text) ? Number(text) : text),
  array: (text) => [text],
}

function parsedOf({ properties = {} }: TSchema): [name: string, parse: Parse][] {
  return Object.entries<TSchema>(properties).flatMap(([name, { type }]) => {
    const parse = PARSES[type]
    return parse ? [[name, parse] as [string, Parse]] : []
  })
}

/** Node gives headers in lower case. Fastify does this only for a validator of its own. */
function lowerCased({ properties = {}, required = [], ...schema }: TSchema) {
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    required: required.map((name: string) => name.toLowerCase()),
  }
}
