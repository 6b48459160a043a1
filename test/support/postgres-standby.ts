import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.js'
import { queryOnce } from './postgres-client.js'
import { serverDirectory } from './postgres-data.js'
import { runAsServer } from './postgres-program.js'
import { PostgresServer } from './postgres-server.js'
import { areStopped, signalAll } from './processes.js'
import type { Scope } from './scope.js'
import { until } from './until.js'

/** What the primary calls it. */
const NAME = 'standby'

/** A standby without which its primary confirms no commit. */
export class PostgresStandby extends PostgresServer {
  #primary!: PostgresServer
  #held: number[] = []

  /** Copies a primary, which is restarted for that; resolves when its commits wait for the copy. */
  static async of(scope: Scope, primary: PostgresServer): Promise<PostgresStandby> {
    const port = await freePort()
    const directory = await serverDirectory(scope)
    const standby = new PostgresStandby(scope, directory, port, primary.password)
    standby.#primary = primary
    await primary.shutdown()
    await runAsServer(directory, 'cp', '-R', primary.data, 'data')
    await writeFile(join(standby.data, 'standby.signal'), '')
    await standby.configure({
      port,
      synchronous_standby_names: '',
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres password=${primary.password} application_name=${NAME}`,
      // It tries again every five seconds else.
      wal_retrieve_retry_interval: '100ms',
    })
    // Without so many WAL files kept, replication that was held for long could not go on.
    await primary.configure({ synchronous_standby_names: NAME, wal_keep_size: '256MB' })
    await primary.start()
    await standby.start()
    await until(async () => (await standby.#senders()).length > 0)
    return standby
  }

  /** Stops the primary from sending to it: commits wait from now on, and nothing fails. */
  async holdReplication(): Promise<void> {
    // One that has just connected anew is no synchronous one for a moment.
    await until(async () => {
      this.#held = await this.#senders()
      return this.#held.length > 0
    })
    signalAll(this.#held, 'SIGSTOP')
    await until(() => areStopped(this.#held))
  }

  releaseReplication(): void {
    signalAll(this.#held.splice(0), 'SIGCONT')
  }

  /** The processes of the primary that send to it and wait for what it confirms. */
  async #senders(): Promise<number[]> {
    const { rows } = await queryOnce(
      this.#primary.url(),
      `SELECT pid FROM pg_stat_replication
       WHERE application_name = '${NAME}' AND sync_state = 'sync'`,
    )
    return rows.map(({ pid }) => pid)
  }
}
