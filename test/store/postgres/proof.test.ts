// slow: leases run out
import t, { type Test } from 'tap'
import { Connection } from '../../../src/store/postgres/connection.js'
import type { ConnectionLost } from '../../../src/store/postgres/errors.js'
import { hostsOf } from '../../../src/store/postgres/hosts.js'
import {
  CommittingProof,
  confirmedBeat,
  Lease,
  NO_PROOF,
} from '../../../src/store/postgres/proof.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { PostgresStandby } from '../../support/postgres-standby.js'
import { until } from '../../support/until.js'

const MS = 200

t.test('one server alone needs no proof', async (t) => {
  t.equal(NO_PROOF.proven(), undefined)
  t.strictSame([NO_PROOF.age, NO_PROOF.isDoubtful], [undefined, false])
})

t.test('a lease proves at once what is read within it, and beats to renew it', async (t) => {
  const server = fakeServer()
  const lease = leaseOn(t, server)
  t.equal(lease.proven(), undefined)
  await until(() => server.beats.length === 1)
  server.beats[0]?.confirm()
  await until(() => server.beats.length === 2)
  t.equal(lease.proven(), undefined)
  t.ok((lease.age as number) < 1)
})

t.test('it counts from the sending of a beat, and not from its answer', async (t) => {
  const server = fakeServer()
  const lease = leaseOn(t, server)
  await until(() => server.beats.length === 1)
  const sent = performance.now()
  // Behind its own lease.
  await until(() => performance.now() - sent > 1.5 * MS)
  server.beats[0]?.confirm()
  await until(() => server.beats.length === 2)
  const proof = lease.proven()
  t.type(proof, Promise, 'a beat that is late renews nothing')
  server.beats[1]?.confirm()
  await until(() => server.beats.length === 3)
  server.beats[2]?.confirm()
  await proof
})

t.test('who comes behind its end waits for a beat that was sent behind that', async (t) => {
  const server = fakeServer()
  const lease = leaseOn(t, server)
  await until(() => server.beats.length === 1)
  const sent = performance.now()
  await until(() => performance.now() - sent > 1.5 * MS)
  let isProven = false
  const proof = lease.proven()?.then(() => (isProven = true))
  server.beats[0]?.confirm()
  await until(() => server.beats.length === 2)
  t.notOk(isProven, 'not by the one that was under way')
  server.beats[1]?.confirm()
  await proof
})

t.test('a beat that no standby has confirmed proves nothing', async (t) => {
  const server = fakeServer()
  const proof = committing(t, server)
  let isProven = false
  const proven = proof.proven().then(() => (isProven = true))
  await until(() => server.beats.length === 1)
  server.beats[0]?.warn()
  await until(() => server.beats.length === 2)
  t.notOk(isProven)
  server.beats[1]?.confirm()
  await proven
  t.ok((proof.age as number) < 1)
})

t.test('a proof by commits is one beat for all who wait, sent behind them', async (t) => {
  const server = fakeServer()
  const proof = committing(t, server)
  const first = proof.proven()
  await until(() => server.beats.length === 1)
  const proven: number[] = []
  const late = [1, 2, 3].map((number) => proof.proven().then(() => proven.push(number)))
  server.beats[0]?.confirm()
  await first
  await until(() => server.beats.length === 2)
  t.strictSame(proven, [])
  server.beats[1]?.confirm()
  await Promise.all(late)
  t.equal(server.beats.length, 2, 'and nobody beats for nobody')
})

t.test('a beat that takes too long is a doubt, and its answer ends that', async (t) => {
  const server = fakeServer()
  const proof = committing(t, server)
  t.notOk(proof.isDoubtful)
  const proven = proof.proven()
  await until(() => proof.isDoubtful)
  server.beats[0]?.confirm()
  await proven
  t.notOk(proof.isDoubtful)
})

t.test('who waits is told when the server is lost, or the service closes', async (t) => {
  const server = fakeServer()
  const waiting = committing(t, server).proven()
  server.lose(new Error('gone') as ConnectionLost)
  await t.rejects(waiting, /gone/)
  const other = committing(t, fakeServer())
  const proven = other.proven()
  other.close()
  await t.rejects(proven, /closes/)
})

t.test('a server confirms beats as its standby does', async (t) => {
  const server = await PostgresServer.start(t)
  const standby = await PostgresStandby.of(t, server)
  const connection = await Connection.open(
    hostsOf(server.url())[0] as ReturnType<typeof hostsOf>[0],
  )
  t.teardown(() => connection.destroy())
  const shell = await server.client()
  t.ok(await confirmedBeat(connection))
  await standby.holdReplication()
  const beat = confirmedBeat(connection)
  await until(async () => {
    const { rowCount } = await shell.query(
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
    )
    return rowCount
  })
  t.notOk(await beat)
  standby.releaseReplication()
  t.ok(await confirmedBeat(connection))
})

function leaseOn(t: Test, server: ReturnType<typeof fakeServer>): Lease {
  const lease = new Lease(server.connection, performance.now(), MS)
  t.teardown(() => lease.close())
  return lease
}

function committing(t: Test, server: ReturnType<typeof fakeServer>): CommittingProof {
  const proof = new CommittingProof(server.connection, performance.now())
  t.teardown(() => proof.close())
  return proof
}

/** A server that answers a beat when it is told to. */
function fakeServer() {
  const beats: { confirm: () => void; warn: () => void }[] = []
  let lose: (error: ConnectionLost) => void = () => {}
  const lost = new Promise<ConnectionLost>((resolve) => (lose = resolve))
  let isUnconfirmed = false
  const connection = {
    lost,
    takeUnconfirmed() {
      const was = isUnconfirmed
      isUnconfirmed = false
      return was
    },
    query: () =>
      new Promise<void>((resolve) => {
        beats.push({
          confirm: resolve,
          warn() {
            isUnconfirmed = true
            resolve()
          },
        })
      }),
  }
  return { connection: connection as unknown as Connection, beats, lose }
}
