import { views } from '../../../drizzle/registry.js'
import { type GeneratedView, generate } from '../views/generate.js'
import { sqliteDialect } from './dialect.js'

/** What the definitions in `drizzle/views` mean in SQLite. */
export const registeredViews: readonly GeneratedView[] = views.map((view) =>
  generate(view, sqliteDialect),
)
