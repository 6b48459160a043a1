/**
 * The house, from the ground up: each room, and the rooms below it that it may import. Nobody imports
 * what is beside or above, and no circle is allowed, not even of types. `npm run structure` checks it.
 */
const HOUSE = {
  // The ground: they know nobody.
  drizzle: [],
  'src/release.ts': [],
  'src/metrics': ['src/release.ts'],
  'src/problems': [],

  // Side by side: protocol, who may ask, what is kept, what is true. None knows another.
  'src/http': ['src/problems'],
  'src/auth': [],
  'src/phases': [],
  'src/tracing': ['src/phases', 'src/release.ts'],
  'src/cache': [],
  'src/store': ['drizzle'],

  // The domain: what goes over the wire, and what it means.
  'src/employees': ['src/problems'],

  // The process: its configuration, its log, its workers.
  'src/runtime.ts': [],
  'src/connection-limits.ts': [],
  'src/config.ts': ['src/auth', 'src/cache', 'src/tracing', 'src/connection-limits.ts'],
  'src/logger.ts': ['src/config.ts', 'src/log-output.ts', 'src/terminal-log.ts'],
  'src/log-output.ts': [],
  'src/terminal-log.ts': ['src/http'],
  'src/start-log.ts': ['src/config.ts', 'src/release.ts', 'src/cache', 'src/store'],
  'src/exit-codes.ts': [],
  'src/graceful-close.ts': [],
  'src/listening.ts': [],
  'src/workers': ['src/graceful-close.ts', 'src/metrics'],

  // Plugins join what stands below; routes show it; the app lists both.
  plugins: [
    'src/release.ts',
    'drizzle',
    'src/metrics',
    'src/problems',
    'src/http',
    'src/auth',
    'src/phases',
    'src/tracing',
    'src/cache',
    'src/store',
    'src/employees',
    'src/workers',
  ],
  routes: ['drizzle', 'src/release.ts', 'src/problems', 'src/http', 'src/cache', 'src/employees'],
  'src/app.ts': ['src/http', 'src/config.ts', 'src/logger.ts', 'plugins'],

  // What people start.
  'src/server.ts': [
    'src/app.ts',
    'src/config.ts',
    'src/exit-codes.ts',
    'src/graceful-close.ts',
    'src/listening.ts',
    'src/logger.ts',
    'src/runtime.ts',
    'src/start-log.ts',
    'src/cache',
    'src/store',
    'src/workers',
  ],
  'src/commands': [
    'src/app.ts',
    'src/config.ts',
    'src/exit-codes.ts',
    'src/runtime.ts',
    'src/auth',
    'src/store',
  ],
  'src/bulk': [
    'src/problems',
    'src/http',
    'src/runtime.ts',
    'src/store',
    'src/employees',
    'src/commands',
  ],
}

/** The libraries that one room alone knows, so that it can be replaced without the others. */
const OWN = {
  'better-sqlite3': ['src/store/sqlite'],
  pg: ['src/store/postgres'],
  'pg-copy-streams': ['src/store/postgres'],
  'drizzle-orm': ['src/store', 'drizzle'],
  ioredis: ['src/cache'],
  '@opentelemetry': ['src/tracing'],
  'prom-client': ['src/metrics', 'src/workers', 'plugins'],
  fastify: ['src/http', 'src/auth', 'src/problems', 'plugins', 'routes', 'src/app.ts'],
}

const rooms = Object.keys(HOUSE)
const at = (...places) =>
  `^(?:${places.map((place) => place.replaceAll('.', '\\.')).join('|')})(?:/|$)`

export default {
  forbidden: [
    ...rooms.map((room) => ({
      name: `${room} imports ${HOUSE[room].join(', ') || 'nobody'}`,
      severity: 'error',
      from: { path: at(room) },
      to: {
        path: at('src', 'plugins', 'routes', 'drizzle', 'test', 'bench', 'contract', 'release'),
        pathNot: at(room, ...HOUSE[room]),
      },
    })),
    ...Object.entries(OWN).map(([library, owners]) => ({
      name: `${library} is known to ${owners.join(', ')}`,
      severity: 'error',
      from: { path: at(...rooms), pathNot: at(...owners) },
      to: { path: `^node_modules/${library}(?:/|$)` },
    })),
    {
      name: 'every file is in a room of the house',
      severity: 'error',
      from: { path: at('src'), pathNot: at(...rooms) },
      to: {},
    },
    { name: 'no circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'what is imported is there, and declared',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(?:dist|test/sdk)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    // As Node finds what a package exports under another name than its file's.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
}
