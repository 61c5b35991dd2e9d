/** Three projects: `unit` is pure, `workflow` runs workflows on a real Temporal server, `integration` runs whole processes. */
const base = {
  transform: {
    '\\.[cm]?[jt]s$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [
    'node_modules/(?!(jose|trading-signals|jsep|node-pg-migrate|ccxt|@noble|@scure|@seriousme|@opentelemetry/otlp-exporter-base)/)',
  ],
  testEnvironment: 'node',
  moduleNameMapper: {
    // What is published under the package's own name, from its source: no test needs a build for it.
    '^holdfast/client$': '<rootDir>/src/feed-client/index.ts',
    // A module that is loaded when it is needed is named as it is once built.
    '^(\\.{1,2}/.+)\\.js$': ['$1.js', '$1'],
  },
};

const project = (name, extra = {}) => ({
  ...base,
  displayName: name,
  testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
  ...extra,
});
const withStack = {
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/global-teardown.ts',
};

module.exports = {
  projects: [project('unit'), project('workflow', withStack), project('integration', withStack)],
  // Of one test, and of what comes before and after it. It ends what hangs and measures nothing: a loaded machine may take its time.
  testTimeout: 180_000,
  testSequencer: '<rootDir>/tests/support/sequencer.cjs',
  collectCoverageFrom: ['src/**/*.ts', '!src/**/main.ts'],
  coverageProvider: 'babel',
  coverageReporters: ['text-summary', 'json-summary', 'lcovonly'],
};
