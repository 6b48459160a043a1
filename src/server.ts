import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.js'
import { ConfigError, readConfig } from './config.js'

const CLOSE_TIMEOUT_MS = 10_000

try {
  const config = readConfig(process.env)
  const app = await buildApp(config)
  closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: app.log }, async ({ err, signal }) => {
    if (err) app.log.fatal({ err }, 'closing after an error')
    else app.log.info({ signal }, 'closing')
    await app.close()
  })
  await app.listen({ host: config.host, port: config.port })
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exit(1)
}
