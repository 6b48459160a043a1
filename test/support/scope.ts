/** What ends a helper's resources: a tap test, or {@link scoped}. */
export interface Scope {
  teardown(cleanup: () => unknown): void
}

/** Runs something and then, however it ended, what it has left to be cleaned up. */
export async function scoped<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const cleanups: (() => unknown)[] = []
  try {
    return await work({ teardown: (cleanup) => cleanups.unshift(cleanup) })
  } finally {
    for (const cleanup of cleanups) await cleanup()
  }
}
