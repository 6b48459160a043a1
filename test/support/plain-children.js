// Loaded into every test by .taprc. For coverage, which nobody asks for here, tap has each process that a
// test starts load a hook of its own, which doubles the time until a service listens: not so here.
import processOnSpawn from 'process-on-spawn'
import './quick-loading.js'

const LOADING = `--import=${new URL('quick-loading.js', import.meta.url)}`

processOnSpawn.removeAllListeners()
processOnSpawn.addListener(({ env }) => {
  const { NODE_OPTIONS: own = '' } = env
  if (!own.includes(LOADING)) env.NODE_OPTIONS = `${LOADING} ${own}`
})
