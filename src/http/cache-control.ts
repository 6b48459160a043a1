/** Salaries are private, and a client may keep a copy only if it asks before each use of it. */
export const CACHE_CONTROL = 'private, no-cache'
