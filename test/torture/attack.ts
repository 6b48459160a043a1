import { Argument, Command, InvalidArgumentError } from 'commander'
import { EXIT, run } from '../../src/commands/command.js'
import { scoped } from '../support/scope.js'
import { attackWithLists } from './lists.js'
import { attackWithPipelines } from './pipelines.js'

const HELP = `
lists: strangers with addresses of their own (127.0.0.2 and further, as Linux has them) open more silent
connections than there are descriptors, pipeline lists that they do not read, and pipeline pages; a
writer creates employees as fast as it can. Meanwhile another client asks like anybody.

pipelines: strangers pipeline as much as they can, with the largest heads and the smallest, and read
nothing. Ten rounds, each of so many seconds and on a service with a small heap, with keys and without.
What it takes of memory is said before, after each quarter, and at most.

It fails if a limit did not hold, or the process died.`

interface Options {
  seconds: number
  employees: number
  connections: number
}

const command = new Command('npm run attack --')
  .description('Attacks a service of its own, and says what others notice. Over SQLite alone.')
  .addArgument(new Argument('[how]').choices(['lists', 'pipelines']).default('lists'))
  .option('--seconds <number>', 'how long', positive, 60)
  .option('--employees <number>', 'how many there are', positive, 100_000)
  .option('--connections <number>', 'how many pipeline', positive, 2000)
  .addHelpText('after', HELP)
  .action(async (how: string, { seconds, employees, connections }: Options) => {
    const held = await scoped((scope) =>
      how === 'pipelines'
        ? attackWithPipelines(scope, seconds, employees, connections)
        : attackWithLists(scope, seconds, employees),
    )
    process.exitCode = held ? EXIT.ok : EXIT.failed
  })

await run(command)

function positive(value: string): number {
  if (Number(value) > 0) return Number(value)
  throw new InvalidArgumentError('it must be a number above 0')
}
