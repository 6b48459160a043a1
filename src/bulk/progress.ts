import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  update(value: number): void
  /** Must be called, however the work ended: a bar keeps the process alive. */
  stop(): void
}

/** Shows on stderr how far the work has come: a bar on a terminal, elsewhere a line for each 10 %. */
export function startProgress(label: string, total: number): Progress {
  return process.stderr.isTTY ? bar(label, total) : lines(label, total)
}

function bar(label: string, total: number): Progress {
  const bar = new SingleBar(
    {
      format: `${label} {bar} {percentage} % | {duration_formatted} | {eta_formatted} left`,
      // The commands have their own answer to Ctrl-C.
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  bar.start(total, 0)
  return bar
}

function lines(label: string, total: number): Progress {
  let shown = 0
  return {
    update(value) {
      const tenths = Math.floor((10 * value) / total)
      // The end is told by what comes after it.
      if (tenths <= shown || tenths >= 10) return
      shown = tenths
      console.error(`${label}: ${tenths}0 %`)
    },
    stop() {},
  }
}
