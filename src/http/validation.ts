import AjvCompiler, { type BuildCompilerFromPool } from '@fastify/ajv-compiler'
import type { TSchema } from '@sinclair/typebox'

/**
 * Builds validators: bodies are taken at their word (no coercion), parameters and the query are text
 * and parsed as such. Nothing is filled in or removed; unknown fields are errors where a schema says
 * so, and errors carry the value.
 */
export const buildValidator: BuildCompilerFromPool = (schemas) => {
  const compiler = AjvCompiler()
  const build = (coerceTypes: boolean) =>
    compiler(schemas, {
      customOptions: {
        coerceTypes,
        // Otherwise Infinity (`limit=1e999`) is a number to the coercion and none to `maximum`.
        strictNumbers: false,
        removeAdditional: false,
        allErrors: true,
        verbose: true,
      },
    })
  const strict = build(false)
  const parsing = build(true)
  return (given) => {
    const route = given as { httpPart?: string; schema: TSchema }
    if (route.httpPart === 'headers') {
      return parsing({ ...route, schema: lowerCased(route.schema) })
    }
    return route.httpPart === 'body' ? strict(route) : parsing(route)
  }
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
