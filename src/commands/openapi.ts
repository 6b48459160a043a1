import '../runtime.js'

import { writeFileSync } from 'node:fs'
import { buildApp } from '../app.js'
import { readConfig } from '../config.js'

/** Writes the contract that the routes declare to openapi.json at the root of the project. */
const app = await buildApp({
  ...readConfig({ LOG_LEVEL: 'silent' }),
  databaseUrl: 'file::memory:',
})
await app.ready()
const file = new URL('../../../openapi.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(app.swagger(), null, 2)}\n`)
await app.close()
console.log('Wrote openapi.json')
