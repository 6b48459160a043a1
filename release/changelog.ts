/** Of a line, in characters. */
const MAX_LENGTH = 200

const HEAD = `# Changelog

What changed with each release, newest first, by the subjects of its commits. Versions are those of the contract
([Semantic Versioning](https://semver.org)): before 1.0.0 a new minor version may break clients, later a major one.
`

/** A release as the changelog tells of it. */
export interface Release {
  version: string
  /** As YYYY-MM-DD. */
  date: string
  /** What clients of the release before could miss, each in a line. */
  breaking: string[]
  /** Newest first. */
  commits: { hash: string; subject: string }[]
}

/** The section of a release, in Markdown. */
export function section({ version, date, breaking, commits }: Release): string {
  const breaks = breaking.length > 0 ? ['Breaks clients:', list(breaking), 'Changes:'] : []
  const changes = list(commits.map(({ hash, subject }) => `${escaped(subject)} (${hash})`))
  return [`## ${version} (${date})`, ...breaks, changes].join('\n\n')
}

/** The changelog with a section in front of the others. */
export function withSection(changelog: string | undefined, added: string): string {
  const before = /^## [\s\S]*/m.exec(changelog ?? '')?.[0]
  return [HEAD, `${added}\n`, ...(before ? [before] : [])].join('\n')
}

function list(lines: string[]): string {
  return lines.map((line) => `- ${shortened(line)}`).join('\n')
}

/** A pattern that has changed may be very long. */
function shortened(line: string): string {
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line
}

/** What Markdown would read as its own. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_<>[\]]/g, '\\$&')
}
