import { LIMITS as postgres } from '../../src/store/postgres/snapshots.js'
import { LIMITS as sqlite } from '../../src/store/sqlite/snapshots.js'
import { dialect } from './any-database.js'

/** How many snapshots may be open at once, over the database that tests run on. */
export const snapshotLimits = { sqlite, postgres }[dialect]
