import { Gauge, type Registry } from 'prom-client'
import { RELEASE as version } from '../release.js'

/** Shows which release this is, and over what it runs: two at once is a deploy, or one that was left half-way. */
export function showBuild(register: Registry, database: string): void {
  new Gauge({
    name: 'employees_build_info',
    help: 'The release, its Node and its kind of database: always 1, by version, node and database',
    labelNames: ['version', 'node', 'database'],
    registers: [register],
    aggregator: 'max',
  }).set({ version, node: process.versions.node, database }, 1)
}
