/** The part of Fastify's own names that is used here. */
declare module 'fastify/lib/symbols.js' {
  const symbols: {
    /** Of a reply: the headers that were given to it, by name. */
    readonly kReplyHeaders: unique symbol
  }
  export default symbols
}
