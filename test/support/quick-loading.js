// Loaded into every test, and into what tests start, see plain-children.js. For each module of a package
// that is imported by another one of it, Node 26 parses the package's package.json anew, where it says
// what it exports: that of drizzle-orm is 180 kB long, so that this was the longer half of every start.
import module from 'node:module'

const PACKAGE = '/node_modules/drizzle-orm/'

// Node has it since 22.15; npm may run on an older one.
module.registerHooks?.({
  resolve(specifier, context, next) {
    if (!/^\.\.?\/.*\.js$/.test(specifier) || !context.parentURL?.includes(PACKAGE)) {
      return next(specifier, context)
    }
    return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
  },
})
