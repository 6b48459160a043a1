import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { en, Faker } from '@faker-js/faker'
import { groupBy } from '../../support/group-by.js'
import type { Scope } from '../../support/scope.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import type { Disk, Survivors } from './disk.js'
import { Inspection } from './inspection.js'
import { DATABASE, LOG, type Recording, record, type StormOptions } from './recording.js'
import type { Event } from './syscall-trace.js'

export interface PowerCutReport {
  cuts: number
  /** Cuts that could leave less than there was. */
  atRisk: number
  acknowledged: number
  /** How often the database was synced, the log was begun, and its file was cut off. */
  checkpoints: number
  logStarts: number
  truncations: number
  /** A line for each cut after which something was lost, or was not as it must be. */
  lost: string[]
}

/**
 * Records the system calls of a service in a write storm, and makes of them what power cuts at random
 * moments could have left on the disk. Each of these is opened and compared with what clients were told
 * until then.
 *
 * @param seed of the choices: the same sequence of system calls is cut in the same way
 */
export async function runPowerCuts(
  scope: Scope,
  cuts: number,
  seed: number,
  options: StormOptions,
): Promise<PowerCutReport> {
  const recording = await record(scope, new Faker({ locale: en, seed }), options)
  const { events, storm } = recording
  const report = {
    cuts,
    atRisk: 0,
    acknowledged: storm.writes,
    checkpoints: count(events, 'sync', DATABASE),
    logStarts: events.filter((event) => isOf(event, 'write', LOG) && event.offset === 0).length,
    truncations: count(events, 'truncate', LOG),
    lost: [],
  }
  const directory = join(await temporaryDirectory(scope), 'image')
  await cutPower(recording, new Faker({ locale: en, seed }), directory, report)
  return report
}

async function cutPower(
  { events, disk, storm, quiet, end }: Recording,
  random: Faker,
  directory: string,
  report: PowerCutReport,
): Promise<void> {
  const inspection = new Inspection(storm)
  const cutsAt = moments(events, report.cuts, random)
  for (const [number, event] of events.entries()) {
    disk.take(event)
    if (event.kind === 'answer') {
      inspection.hear(event.requestId)
      if (event.requestId === quiet.requestId) assertSame(disk, quiet.files)
    }
    for (let n = cutsAt.get(number) ?? 0; n > 0; n--) {
      if (disk.isAtRisk) report.atRisk++
      const { image, fate } = imageOf(disk, random)
      write(image, directory)
      const [wrong, ...more] = await inspection.inspect(join(directory, DATABASE))
      if (wrong) report.lost.push(`${fate} behind event ${number}: ${wrong} (+ ${more.length})`)
    }
  }
  assertSame(disk, end)
  if (inspection.unheard > 0) {
    throw new Error(`${inspection.unheard} answers are not in the trace`)
  }
}

/** What happens seldom is tried as often as what happens all the time, in half of the cuts. */
function moments(events: Event[], cuts: number, random: Faker): Map<number, number> {
  const kinds = groupBy(events.keys(), (number) => {
    const event = events[number] as Event
    return event.kind === 'answer' ? event.kind : `${event.kind} ${event.file}`
  })
  const pools = [...kinds.values()]
  const at = new Map<number, number>()
  for (let cut = 0; cut < cuts; cut++) {
    const number =
      cut % 2 === 0
        ? random.number.int({ max: events.length - 1 })
        : random.helpers.arrayElement(random.helpers.arrayElement(pools))
    at.set(number, (at.get(number) ?? 0) + 1)
  }
  return at
}

/** What was synced, and of the rest nothing, or some writes or some sectors of writes, in any order. */
function imageOf(disk: Disk, random: Faker): { image: Map<string, Buffer>; fate: string } {
  const { helpers, number, datatype } = random
  const fate = helpers.arrayElement(['nothing', 'some writes', 'some sectors'])
  const survivors: Survivors = (changes) => {
    if (fate === 'nothing') return []
    const share = number.float()
    return helpers.shuffle(changes.filter(() => datatype.boolean(share)))
  }
  return { image: disk.image(survivors, fate === 'some sectors'), fate }
}

function write(image: Map<string, Buffer>, directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { mode: 0o700 })
  for (const [name, bytes] of image) writeFileSync(join(directory, name), bytes, { mode: 0o600 })
}

/** The trace has everything: no file was changed in a way that the model does not know of. */
function assertSame(disk: Disk, files: Map<string, Buffer>): void {
  const image = disk.image((changes) => changes)
  for (const name of new Set([...image.keys(), ...files.keys()])) {
    if (files.get(name)?.equals(image.get(name) ?? Buffer.of())) continue
    throw new Error(`${name} is not what the trace says`)
  }
}

function count(events: Event[], kind: Event['kind'], file: string): number {
  return events.filter((event) => isOf(event, kind, file)).length
}

function isOf<Kind extends Event['kind']>(
  event: Event,
  kind: Kind,
  file: string,
): event is Extract<Event, { kind: Kind }> {
  return event.kind === kind && 'file' in event && event.file === file
}
