/**
 * What every program here answers to the shell. `usage`: the arguments or the environment variables are
 * wrong, so that trying again is of no use. A signal gives 128 and its number.
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const
