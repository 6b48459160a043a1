// Compiles what has changed since the last time, and checks all types. What has no source any more goes
// first: routes and plugins are found by their folder.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const { include } = JSON.parse(readFileSync('tsconfig.json', 'utf8'))
for (const folder of include.filter((folder) => existsSync(join('dist', folder)))) {
  for (const name of readdirSync(join('dist', folder), { recursive: true })) {
    const [, source] = /^(.*)\.js(\.map)?$/.exec(join(folder, name)) ?? []
    if (source && !existsSync(`${source}.ts`)) rmSync(join('dist', folder, name))
  }
}

const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc'], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
