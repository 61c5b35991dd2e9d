import type { NodeContext } from '../../src/activities/define-node';

/** A context for running a node kind outside a worker; `logged` collects what it logs. */
export function nodeContext(): NodeContext & { readonly logged: [Readonly<Record<string, unknown>>, string][] } {
  const logged: [Readonly<Record<string, unknown>>, string][] = [];
  return {
    task: {
      execution_id: 'exec_test_00000000',
      workflow_id: 'test',
      mode: 'paper',
      node_id: 'node',
      node_type: 'test',
      frame: '',
      generation: 1,
      dispatch: 1,
      used_attempts: 0,
      fields: {},
      timeout_ms: 1_000,
      retry: { max_attempts: 1, initial_ms: 1_000, backoff: 2, max_ms: 60_000 },
    },
    signal: new AbortController().signal,
    idempotency_key: 'exec_test_00000000//node/1',
    log: { info: (fields, message) => void logged.push([fields, message]) },
    logged,
  };
}
