import { setTimeout as delay } from 'node:timers/promises'

/** Waits until a condition holds. Forever: the test's timeout says when that is too long. */
export async function until(condition: () => unknown): Promise<void> {
  while (!(await condition())) await delay(5)
}
