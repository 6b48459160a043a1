/**
 * Raised when the bytes of a cached answer change their form: releases that differ in it may share a
 * Redis, and a client's copy of the old form must not pass for the new one.
 */
const FORMAT = 1

/**
 * Raised when what is stored with those bytes changes its form, which is no matter of clients: a
 * release that knows nothing of signatures would take one for the beginning of an answer.
 */
const ENTRY = 2

/**
 * Where the answer of a view is cached: `<view>:<format>:<version>`. What is stored there never
 * changes, because a version never comes back.
 */
export function cacheKey(view: string, version: string): string {
  return `${view}:${FORMAT}.${ENTRY}:${version}`
}

/** The strong entity tag of a view at a version (RFC 9110, section 8.8.3). */
export function viewEtag(version: string): string {
  return `"${FORMAT}-${version}"`
}
