import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** Whom TLS to Redis trusts, and by what it shows itself; all of it in PEM. */
export interface RedisTls {
  /** Unset: the authorities that Node knows. */
  ca?: string | undefined
  cert?: string | undefined
  key?: string | undefined
}

/** The variables that name such files, and their values. */
export interface RedisTlsPaths {
  REDIS_TLS_CA_FILE?: string | undefined
  REDIS_TLS_CERT_FILE?: string | undefined
  REDIS_TLS_KEY_FILE?: string | undefined
}

/**
 * Reads the files for TLS to Redis, once and at the start.
 *
 * @throws with a line that names the variable, and never shows what is in a file
 */
export function readRedisTls(paths: RedisTlsPaths, isTls: boolean): RedisTls {
  const [given] = Object.entries(paths).find(([, path]) => path !== undefined) ?? []
  if (given !== undefined && !isTls) {
    throw new Error(`${given} is for TLS: set a REDIS_URL that begins with rediss, or unset it`)
  }
  const { REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE } = paths
  if ((REDIS_TLS_CERT_FILE === undefined) !== (REDIS_TLS_KEY_FILE === undefined)) {
    throw new Error('REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE belong together: set both, or none')
  }
  const ca = read('REDIS_TLS_CA_FILE', paths)
  const cert = read('REDIS_TLS_CERT_FILE', paths)
  const key = read('REDIS_TLS_KEY_FILE', paths)
  assertCertificate('REDIS_TLS_CA_FILE', ca, paths)
  assertCertificate('REDIS_TLS_CERT_FILE', cert, paths)
  try {
    createSecureContext({ ca, cert, key })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(
      `REDIS_TLS_KEY_FILE: ${REDIS_TLS_KEY_FILE} is not the key, in PEM and without a password, of ` +
        `the certificate in REDIS_TLS_CERT_FILE (${code})`,
    )
  }
  return { ca, cert, key }
}

function read(name: keyof RedisTlsPaths, paths: RedisTlsPaths): string | undefined {
  const path = paths[name]
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(
      `${name}: cannot read ${path}: name a file that is there and that you may read (${code})`,
    )
  }
}

/** Node takes anything for an authority, and then trusts nobody. */
function assertCertificate(
  name: keyof RedisTlsPaths,
  pem: string | undefined,
  paths: RedisTlsPaths,
): void {
  if (pem === undefined) return
  try {
    new X509Certificate(pem)
  } catch {
    throw new Error(`${name}: ${paths[name]} is no certificate in PEM`)
  }
}
