/**
 * Who may import whom at run time. Types are erased and may cross.
 * Rooms of the sandbox may not use Node built-ins; all others may.
 */
const PLAIN = ['error-catalogue.ts', 'errors.ts', 'money.ts', 'json.ts', 'secret.ts', 'whole-number.ts'];
const SANDBOX = ['graph', 'events', 'emergency', 'workflows', ...PLAIN];

const place = (name) => (name.endsWith('.ts') ? `^src/${name.replaceAll('.', '\\.')}$` : `^src/${name}/`);
const library = (name) => `node_modules/${name}/`;

/** A room imports itself, the plain files, the rooms and the libraries named, and nothing else. */
const room = (name, rooms = [], libraries = []) => ({
  name: `${name}-imports`,
  severity: 'error',
  comment: `src/${name} imports only: ${[name, ...PLAIN, ...rooms, ...libraries].join(', ')}`,
  from: { path: place(name) },
  to: {
    pathNot: [...[name, ...PLAIN, ...rooms].map(place), ...libraries.map(library)],
    ...(SANDBOX.includes(name) ? {} : { dependencyTypesNot: ['core'] }),
  },
});

const only = (name, files, packageName) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: files },
  to: { path: library(packageName) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'What is published under the package’s own name is there only when it was built.',
      from: {},
      to: { couldNotResolve: true, pathNot: '^holdfast/' },
    },
    ...['error-catalogue.ts', 'errors.ts', 'json.ts', 'secret.ts', 'whole-number.ts'].map((file) => room(file)),
    room('money.ts', [], ['big.js']),
    room('logging.ts', [], ['pino']),
    room('graph', ['events', 'emergency'], ['zod', 'yaml', 'jsep']),
    room('events'),
    room('emergency', ['events']),
    room('event-log', ['events', 'emergency'], ['ioredis']),
    room('workflows', ['graph', 'emergency', 'events'], ['@temporalio/workflow', '@temporalio/common']),
    room('blobs'),
    room('journal', [], ['pg', 'node-pg-migrate']),
    room(
      'activities',
      ['graph', 'emergency', 'events', 'venues'],
      ['@temporalio/activity', '@temporalio/common', 'lru-cache', 'zod', 'trading-signals', 'jsep'],
    ),
    room('testing', [
      'activities',
      'events',
      'graph',
      ...['control', 'halts', 'in-flight', 'judging', 'mailbox', 'ready-queue', 'status', 'turns', 'waits'].map(
        (name) => `workflows/${name}.ts`,
      ),
      'temporal-client/start-inputs.ts',
    ]),
    room('resilience'),
    room('tracing', [], ['@opentelemetry']),
    room('venues', [], ['undici', 'ccxt', 'ws']),
    room(
      'temporal-client',
      ['workflows', 'graph', 'events', 'emergency'],
      ['@temporalio/client', '@temporalio/common', '@temporalio/proto'],
    ),
    room(
      'worker',
      [
        'activities',
        'blobs',
        'resilience',
        'emergency',
        'event-log',
        'events',
        'graph',
        'journal',
        'venues',
        'temporal-client',
        'tracing',
        'config',
        'logging.ts',
      ],
      ['@temporalio/worker', '@temporalio/activity', '@temporalio/common', 'pino'],
    ),
    room(
      'gateway',
      [
        ...[
          'event-log',
          'events',
          'emergency',
          'journal',
          'temporal-client',
          'tracing',
          'graph',
          'activities',
          'config',
        ],
        'logging.ts',
      ],
      [
        'socket.io',
        'fastify',
        '@fastify/helmet',
        '@fastify/static',
        'jose',
        'pino',
        'prom-client',
        'rate-limiter-flexible',
        'zod',
        'zod-openapi',
      ],
    ),
    room('feed-client', ['event-log/cursor.ts', 'events'], ['socket.io-client']),
    room('paper-venue', ['venues', 'config', 'logging.ts'], ['fastify', 'pino', 'ws', 'zod']),
    room('config', ['graph/duration.ts', 'venues/profile.ts'], ['zod']),
    room(
      'local-stack',
      ['config'],
      ['@temporalio/client', 'ioredis', 'pg', '@electric-sql/pglite', '@electric-sql/pglite-socket', 'zod'],
    ),
    room(
      'cli',
      [
        'graph',
        'activities',
        'temporal-client',
        'journal',
        'local-stack',
        'config',
        'emergency',
        'event-log',
        'events',
        'venues',
        'gateway/protocol.ts',
        'gateway/tokens.ts',
      ],
      ['commander', 'socket.io-client'],
    ),
    {
      name: 'dashboard-imports-the-published-client-alone',
      severity: 'error',
      comment: 'As holdfast/client, which is found in its source.',
      from: { path: '^dashboard/' },
      to: { path: '^src/', pathNot: '^src/feed-client/index\\.ts$' },
    },
    only(
      'zod-not-in-pure-graph',
      ['^src/graph/schema\\.ts$', '^src/(activities|gateway|paper-venue|config|local-stack)/'],
      'zod',
    ),
    only('ccxt-in-its-adapter-alone', ['^src/venues/ccxt-'], 'ccxt'),
    only('big-js-in-money-alone', ['^src/money\\.ts$'], 'big\\.js'),
    {
      name: 'workflows-use-no-schema',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/graph/schema\\.ts$' },
    },
    {
      name: 'sandbox-stays-clean',
      severity: 'error',
      comment: 'What the workflow sandbox can reach at run time holds no Node built-in and no library but these.',
      from: { path: '^src/workflows/index\\.ts$' },
      to: {
        reachable: true,
        pathNot: [...SANDBOX.map(place), ...['@temporalio/workflow', '@temporalio/common', 'big\\.js'].map(library)],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'import', 'default'] },
  },
};
