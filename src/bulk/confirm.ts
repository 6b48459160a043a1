import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Whether somebody is there who reads a question and can answer it. */
export function isTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY)
}

/** Asks on stderr; whatever is not a yes, and an interrupt, is a no. */
export async function confirm(question: string, interrupt: AbortSignal): Promise<boolean> {
  process.stderr.write(`${question} [y/N] `)
  // No line editing: it would take Ctrl-C for a key.
  const lines = createInterface({ input: process.stdin, terminal: false })
  try {
    const line = once(lines, 'line', { signal: interrupt })
    const [answer] = await Promise.race([line, once(lines, 'close')])
    return /^y(?:es)?$/i.test(String(answer).trim())
  } catch (error) {
    if (interrupt.aborted) return false
    throw error
  } finally {
    lines.close()
  }
}
