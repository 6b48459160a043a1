import { redocly } from './redocly.js'

interface Report {
  changes: { path: string; impact: string; verdicts: { impact: string; message: string }[] }[]
}

/**
 * What a client of the released contract could miss in the present one, each in a line.
 *
 * @param released a file
 * @param present a file
 * @throws if one of them is no OpenAPI document
 */
export function breakingChanges(released: string, present: string): string[] {
  const options = ['--format', 'json', '--fail-on', 'none']
  const { stdout, stderr } = redocly('diff', released, present, ...options)
  if (!stdout.startsWith('{')) throw new Error(stderr.trim())
  const { changes }: Report = JSON.parse(stdout)
  return changes
    .filter(({ impact }) => impact === 'major')
    .flatMap(({ path, verdicts }) =>
      verdicts
        .filter(({ impact }) => impact === 'major')
        .map(({ message }) => `${readable(path)}: ${message}`),
    )
}

/**
 * Whether a version tells clients that something may break since another one: from 1.0 on by its
 * major number, before by its minor (Semantic Versioning 2.0.0, sections 4 and 8).
 */
export function mayBreak(released: string, present: string): boolean {
  const [major, minor] = numbers(released)
  const [presentMajor, presentMinor] = numbers(present)
  return presentMajor > major || (major === 0 && presentMajor === 0 && presentMinor > minor)
}

function numbers(version: string): [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? []
  if (major === undefined) throw new Error(`${version} is no version`)
  return [Number(major), Number(minor)]
}

/** A JSON Pointer as a person reads it: #/paths/~1employees/get is /employees get. */
function readable(pointer: string): string {
  return pointer
    .replace(/^#\/(paths\/)?/, '')
    .replaceAll('/', ' ')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
}
