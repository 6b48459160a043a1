/** What was done about a cached view, or found. */
export interface ViewChange {
  view: string
  /**
   * `defined`: it has this release's definition now; `repaired`: what keeps it fresh had been changed
   * by hand, and was put back; `removed`: no release that runs knows it; `foreign`: another release
   * runs beside this one and defines it in its own way; `broken`: what keeps it fresh had been changed by
   * hand, and this process may not put it back.
   */
  what: 'defined' | 'repaired' | 'removed' | 'foreign' | 'broken'
}

const MESSAGES: Record<ViewChange['what'], string> = {
  defined: 'a cached view has a new definition, and a new version',
  repaired:
    'the triggers of a cached view had been changed: they were put back, with a new version',
  removed: 'a cached view that nobody defines any more was removed',
  broken:
    'the triggers of a cached view had been changed, and the role of this process may not put them back: "npm run migrate" as their owner does; until then nothing of it is cached',
  foreign: 'another release defines a cached view in its own way: nothing of it is cached here',
}

interface Log {
  info(line: object, message: string): void
  warn(line: object, message: string): void
}

/** Writes a line for each change into a log in the manner of Pino; what nobody planned is a warning. */
export function logViewChanges(log: Log): (change: ViewChange) => void {
  return ({ view, what }) => {
    const level = what === 'defined' || what === 'removed' ? 'info' : 'warn'
    log[level]({ view }, MESSAGES[what])
  }
}
