/** A place in the list of employees, behind an id, as text that means nothing to a client. */
export function encodeCursor(id: number): string {
  return Buffer.from(`after:${id}`).toString('base64url')
}

/** The id of a cursor; undefined if this is none of ours. */
export function decodeCursor(cursor: string): number | undefined {
  const match = /^after:([1-9]\d{0,15})$/.exec(Buffer.from(cursor, 'base64url').toString())
  return match ? Number(match[1]) : undefined
}
