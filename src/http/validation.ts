import AjvCompiler, { type BuildCompilerFromPool } from '@fastify/ajv-compiler'

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
  return (route) => {
    const { httpPart } = route as { httpPart?: string }
    return httpPart === 'body' ? strict(route) : parsing(route)
  }
}
