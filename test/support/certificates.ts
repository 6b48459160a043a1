import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RedisTls } from '../../src/cache/redis-tls.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'

/** Whether this machine can make certificates. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0

/** The paths of a certificate, its key, and the authority that has signed it; all in PEM. */
export interface CertificateFiles {
  ca: string
  cert: string
  key: string
}

/** A certificate authority of a test's own. */
export class Authority {
  readonly ca: string
  readonly #directory: string
  #count = 0

  private constructor(directory: string) {
    this.#directory = directory
    this.ca = join(directory, 'ca.crt')
    this.#request('ca', '-subj', '/CN=an authority')
  }

  static async create(scope: Scope): Promise<Authority> {
    return new Authority(await temporaryDirectory(scope))
  }

  /** @param names as a subjectAltName has them (RFC 5280, section 4.2.1.6) */
  issue(names = 'IP:127.0.0.1,DNS:localhost'): CertificateFiles {
    const name = `leaf-${++this.#count}`
    const signer = ['-CA', this.ca, '-CAkey', join(this.#directory, 'ca.key')]
    const extensions = [`subjectAltName=${names}`, 'basicConstraints=CA:FALSE']
    const added = extensions.flatMap((extension) => ['-addext', extension])
    this.#request(name, ...signer, '-subj', `/CN=${name}`, ...added)
    return { ca: this.ca, ...this.#files(name) }
  }

  #files(name: string) {
    return {
      cert: join(this.#directory, `${name}.crt`),
      key: join(this.#directory, `${name}.key`),
    }
  }

  #request(name: string, ...options: string[]): void {
    const { cert, key } = this.#files(name)
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']
    const out = ['-days', '1', '-out', cert, '-keyout', key]
    execFileSync('openssl', ['req', '-x509', ...curve, ...out, ...options], { stdio: 'pipe' })
  }
}

/** What is in the files. */
export function readCertificates({ ca, cert, key }: CertificateFiles): RedisTls {
  const [first, second, third] = [ca, cert, key].map((path) => readFileSync(path, 'utf8'))
  return { ca: first, cert: second, key: third }
}
