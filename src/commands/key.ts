import '../runtime.js'

import { Argument, Command, InvalidArgumentError } from 'commander'
import { createKey, isKeyName, ROLES, type Role } from '../auth/api-keys.js'
import { run } from './command.js'

const HELP = `
The entry for API_KEYS, or for a line of the file of API_KEYS_FILE, is printed on standard output; it
holds only the key's digest. The key itself is shown once, on standard error, and kept nowhere.`

const command = new Command('npm run key --')
  .description('Makes an API key.')
  .argument('<name>', "what the log calls the key's owner: 1 to 64 of A-Z a-z 0-9 _ . -", keyName)
  .addArgument(new Argument('<role>', 'what the key is good for').choices(ROLES))
  .addHelpText('after', HELP)
  .action((name: string, role: Role) => {
    const { key, entry } = createKey(name, role)
    console.log(entry)
    console.error(`The key of ${name}, shown this once, for "Authorization: Bearer KEY":\n${key}`)
  })

await run(command)

function keyName(name: string): string {
  if (isKeyName(name)) return name
  throw new InvalidArgumentError('It may have 1 to 64 of A-Z a-z 0-9 _ . -')
}
