// Asks npm's registry whether known vulnerabilities of the grade "high" or "critical" are among the production
// dependencies: npm run audit. A registry that does not answer is no fault of the project, and only told.
import { spawnSync } from 'node:child_process'

const GRADES = ['high', 'critical']
const TIMEOUT_MS = 60_000

const { stdout, error } = spawnSync(
  'npm',
  ['audit', '--omit=dev', '--audit-level=high', '--json', '--fetch-retries=0'],
  { encoding: 'utf8', timeout: TIMEOUT_MS, shell: process.platform === 'win32' },
)
const report = parsed(stdout)
const counts = report?.metadata?.vulnerabilities
if (counts === undefined) {
  const why = report?.message ?? report?.error?.summary ?? error?.message ?? 'no report'
  console.warn(`Not audited: the registry did not answer (${why})`)
} else {
  const found = Object.values(report.vulnerabilities).filter(({ severity }) =>
    GRADES.includes(severity),
  )
  for (const { name, severity, via } of found) {
    const titles = via.map((each) =>
      typeof each === 'string' ? each : `${each.title} ${each.url}`,
    )
    console.error(`${severity}: ${name}: ${titles.join('; ')}`)
  }
  if (found.length > 0) process.exitCode = 1
  else console.log(`No vulnerability of the grade high or critical is known, ${counts.total} below`)
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
