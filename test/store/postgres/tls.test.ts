import { chownSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { UnusableDatabase } from '../../../src/store/errors.js'
import { PostgresDatabase } from '../../../src/store/postgres/postgres-database.js'
import { Authority, type CertificateFiles } from '../../support/certificates.js'
import { ACCOUNT } from '../../support/postgres-program.js'
import { PostgresServer } from '../../support/postgres-server.js'

/** A server that takes encrypted connections alone, of who shows a certificate of the authority. */
async function securedServer(t: Test, { ca, cert, key }: CertificateFiles) {
  const server = await PostgresServer.start(t)
  const own = (from: string, name: string) => {
    const to = join(server.data, name)
    copyFileSync(from, to)
    if (ACCOUNT.uid !== undefined) chownSync(to, ACCOUNT.uid, ACCOUNT.gid ?? ACCOUNT.uid)
    return to
  }
  await server.configure({
    ssl: 'on',
    ssl_ca_file: own(ca, 'ca.crt'),
    ssl_cert_file: own(cert, 'server.crt'),
    ssl_key_file: own(key, 'server.key'),
  })
  await server.shutdown()
  writeFileSync(
    join(server.data, 'pg_hba.conf'),
    'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n',
  )
  await server.start()
  return (options: Record<string, string>) => `${server.url()}?${new URLSearchParams(options)}`
}

t.test('a server is reached by TLS, each side verified; else one line says why not', async (t) => {
  const authority = await Authority.create(t)
  const files = authority.issue()
  const other = await Authority.create(t)
  const urlWith = await securedServer(t, files)
  const shown = { sslcert: files.cert, sslkey: files.key }

  const trusted = { sslmode: 'verify-full', sslrootcert: files.ca, ...shown }
  const database = await PostgresDatabase.open(urlWith(trusted))
  t.teardown(() => database.close())
  const { rows } = await database.primary.do(({ reader }) =>
    reader.query<{ ssl: boolean }>(
      'SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL',
    ),
  )
  t.strictSame(rows, [{ ssl: true }], 'every connection')

  for (const [what, options, says] of [
    [
      'another authority',
      { ...trusted, sslrootcert: other.ca },
      /UNABLE_TO|unable to verify|self-signed|signature/,
    ],
    ['no encryption', {}, /does not let this user in: .* no encryption/],
    [
      'no certificate',
      { sslmode: 'verify-full', sslrootcert: files.ca },
      /does not let this user in: .*client certificate/,
    ],
  ] as const) {
    const error = await PostgresDatabase.open(urlWith(options)).catch((error) => error)
    t.ok(error instanceof UnusableDatabase, what)
    t.match(error.message, /^DATABASE_URL: 127\.0\.0\.1:\d+ /, what)
    t.match(error.message, says, what)
    t.notMatch(error.message, '\n', what)
  }
})

t.test('a certificate of another name is refused', async (t) => {
  const authority = await Authority.create(t)
  const elsewhere = authority.issue('DNS:db.example')
  const urlWith = await securedServer(t, elsewhere)
  const shown = { sslcert: elsewhere.cert, sslkey: elsewhere.key }
  const url = urlWith({ sslmode: 'verify-full', sslrootcert: authority.ca, ...shown })
  await t.rejects(PostgresDatabase.open(url), {
    name: 'UnusableDatabase',
    message: /cannot be used as the URL says: .*127\.0\.0\.1/,
  })
})
