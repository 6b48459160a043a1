import { views } from '../../../drizzle/registry.js'
import { type GeneratedView, generate } from '../views/generate.js'
import { postgresDialect } from './dialect.js'

/** What the definitions in `drizzle/views` mean in PostgreSQL. */
export const registeredViews: readonly GeneratedView[] = views.map((view) =>
  generate(view, postgresDialect),
)
