import { DatabaseError } from 'pg'
import { type Connection, reasonOf } from './connection.js'
import { OutcomeUnknown } from './errors.js'

/** A statement: its text, its parameters, and the name that it is prepared under. */
export type Statement = [text: string, values: unknown[], name: string]

/** A commit that failed by a constraint or by another transaction (23, 40) is a rollback; else who knows. */
const UNDONE = /^(?:23|40)/

/**
 * Ends a transaction with the last of its statements and a commit, in one round trip.
 *
 * @param isWritten whether the transaction has written anything; with these statements, if left out
 * @throws what the server says, and nothing was kept
 * @throws {ConnectionLost} if there was nothing to keep
 * @throws {OutcomeUnknown} if the connection was lost before the answer, or a standby that must have the
 *   commit has not confirmed it: a success with a warning, to the server
 */
export async function commit(
  connection: Connection,
  statements: Statement[],
  isWritten = statements.length > 0,
): Promise<void> {
  connection.takeUnconfirmed()
  const written = statements.map((statement) => settled(connection.query(...statement)))
  const committed = settled(connection.query('COMMIT'))
  for (const each of written) {
    const failure = await each
    // It makes a rollback of the commit behind it.
    if (failure instanceof DatabaseError) throw failure
  }
  const failure = await committed
  const isUndone = failure instanceof DatabaseError && UNDONE.test(failure.code ?? '')
  if (isUndone || (failure && !isWritten)) throw failure
  if (failure) throw Object.assign(new OutcomeUnknown(reasonOf(failure)), { cause: failure })
  if (connection.takeUnconfirmed()) throw new OutcomeUnknown('no standby has confirmed it')
}

/** What a query fails with, if it does. */
function settled(query: Promise<unknown>): Promise<Error | undefined> {
  return query.then(
    () => undefined,
    (error) => error,
  )
}
