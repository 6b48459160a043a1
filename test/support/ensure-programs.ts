import { CHROMIUM_NEEDED, chromiumProgram } from './browser.js'
import { hasOpenssl } from './certificates.js'
import { installPackage } from './debian-package.js'
import { POSTGRES_NEEDED, postgresPrograms } from './postgres-program.js'
import { redisProgram } from './redis-server.js'
import { whyNoTrace } from './strace.js'

const REDIS_NEEDED =
  'The tests need a Redis server: "sudo apt-get install redis-server" or "brew install redis"'
const OPENSSL_NEEDED =
  'The tests need openssl, to make certificates: "sudo apt-get install openssl" or "brew install openssl"'

/**
 * Sees to it that the tests have a Redis and a PostgreSQL to start, or stops with the line that
 * installs one. With REDIS_URL and TEST_POSTGRES_URL too: a server of somebody else's is not for killing.
 * A browser, which is large, and strace, which not every kernel lets trace, are seen to where CI is set;
 * elsewhere the tests that want one are skipped without it.
 */
if (!redisProgram) ensure('redis-server', REDIS_NEEDED)
if (!postgresPrograms()) ensure('postgresql', POSTGRES_NEEDED)
if (!hasOpenssl) ensure('openssl', OPENSSL_NEEDED)
if (!chromiumProgram && process.env.CI) ensure('chromium', CHROMIUM_NEEDED)
if (process.platform === 'linux' && process.env.CI && whyNoTrace()) installPackage('strace')

function ensure(debianPackage: string, message: string): void {
  if (installPackage(debianPackage)) return
  console.error(message)
  process.exit(1)
}
