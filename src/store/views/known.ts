import { randomBytes } from 'node:crypto'
import type { View } from '../../../drizzle/define-view.js'
import type { ViewState } from '../view-chain.js'
import type { GeneratedView } from './generate.js'

/** Finds what was generated for a view; throws for one that no file in `drizzle/views` defines. */
export function knownViews(views: readonly GeneratedView[]): (view: View) => GeneratedView {
  const generated = new Map(views.map((view) => [view.name, view]))
  return ({ name }) => {
    const view = generated.get(name)
    if (!view) throw new Error(`No file in drizzle/views defines ${name}`)
    return view
  }
}

/** A version that nothing was or will be kept under, and that has no place among others. */
export function unheardOf(): ViewState {
  return { version: randomBytes(16).toString('hex'), number: -1 }
}
