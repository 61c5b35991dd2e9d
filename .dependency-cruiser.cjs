/** Who may import whom at run time. Types are erased and may cross. */
const room = (name) => `^src/${name}/`;
const outside = (name, own, libraries = []) => ({
  name: `${name}-imports`,
  severity: 'error',
  comment: `src/${name} imports only ${[name, ...own, ...libraries].join(', ')}`,
  from: { path: name.endsWith('.ts') ? `^src/${name}$` : room(name) },
  to: {
    pathNot: [
      ...[name, ...own].map((each) => (each.endsWith('.ts') ? `^src/${each}$` : room(each))),
      ...libraries.map((each) => `node_modules/${each}/`),
      ...(['graph', 'events', 'emergency', 'workflows'].includes(name) ? [] : ['^(node:)?[a-z_/]+$']),
    ],
  },
});
const plain = ['errors.ts', 'json.ts', 'money.ts'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    outside('graph', ['events', 'emergency', ...plain], ['zod', 'yaml']),
    {
      name: 'zod-only-in-schema',
      severity: 'error',
      from: { path: '^src/graph/', pathNot: '^src/graph/schema\\.ts$' },
      to: { path: 'node_modules/zod/' },
    },
    outside('events', plain),
    outside('emergency', ['events', ...plain]),
    outside('event-log', ['events', ...plain], ['ioredis']),
    outside('workflows', ['graph', 'emergency', 'events', ...plain], ['@temporalio/workflow', '@temporalio/common']),
    outside(
      'activities',
      ['graph', 'events', 'venues', ...plain],
      ['@temporalio/activity', '@temporalio/common', 'zod', 'trading-signals', 'jsep'],
    ),
    outside('venues', [...plain]),
    outside(
      'temporal-client',
      ['workflows', 'graph', 'events', ...plain],
      ['@temporalio/client', '@temporalio/common', '@temporalio/workflow', '@temporalio/proto'],
    ),
    outside(
      'worker',
      ['activities', 'event-log', 'events', 'graph', 'venues', 'temporal-client', 'config', 'logging.ts', ...plain],
      ['@temporalio/worker', '@temporalio/activity', '@temporalio/common', 'pino'],
    ),
    outside(
      'gateway',
      ['event-log', 'events', 'temporal-client', 'graph', 'activities', 'config', 'logging.ts', ...plain],
      ['socket.io', 'fastify', '@fastify/static', 'jose', 'pino', 'zod'],
    ),
    outside('config', plain, ['zod']),
    outside('local-stack', ['config', ...plain]),
    outside(
      'cli',
      [
        'graph',
        'activities',
        'temporal-client',
        'local-stack',
        'config',
        'events',
        'gateway/protocol.ts',
        'gateway/tokens.ts',
        ...plain,
      ],
      ['commander', 'socket.io-client', 'ioredis'],
    ),
    {
      name: 'sandbox-stays-clean',
      severity: 'error',
      comment: 'What the workflow sandbox can reach at run time holds no Node built-in and no library but these.',
      from: { path: '^src/workflows/index\\.ts$' },
      to: {
        reachable: true,
        pathNot: [
          '^src/(workflows|graph|emergency|events)/',
          '^src/(errors|json|money)\\.ts$',
          'node_modules/(@temporalio/(workflow|common)|big\\.js)/',
        ],
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
