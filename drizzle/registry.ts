import { readdirSync } from 'node:fs'
import { View } from './define-view.js'

/** Every cached view: what the files in `drizzle/views/` export, by the names of the files. */
export const views: readonly View[] = await findViews()

/** @throws if two views have one name: they would share triggers, versions and keys */
async function findViews(): Promise<View[]> {
  const folder = new URL('./views/', import.meta.url)
  const found = new Map<string, View>()
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.js')) continue
    const module: object = await import(new URL(file, folder).href)
    for (const view of Object.values(module)) {
      if (!(view instanceof View)) continue
      if (found.has(view.name)) throw new Error(`Two views have the name ${view.name}`)
      found.set(view.name, view)
    }
  }
  return [...found.values()]
}
