// Loaded into every test by .taprc. For coverage, which nobody asks for here, tap has each process that a
// test starts load a hook of its own, which doubles the time until a service listens: not so here.
import processOnSpawn from 'process-on-spawn'

processOnSpawn.removeAllListeners()
