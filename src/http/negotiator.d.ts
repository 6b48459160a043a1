/** The part of negotiator 1.1 that is used here; @types/negotiator is of 0.6. */
declare module 'negotiator' {
  export default class Negotiator {
    constructor(request: { headers: Record<string, string> })
    /** Those of the available codings that the client takes, from what it likes best. */
    encodings(available: string[], options: { preferred: string[] }): string[]
    /** That of the available media types which the client likes best; undefined: none. */
    mediaType(available: string[]): string | undefined
  }
}
