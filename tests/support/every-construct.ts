/** A graph that uses every construct of the language, with an effect counted at a receiver in every place one can stand. */
const effect = (url: string, rest: object) => ({
  type: 'test_counted',
  ...rest,
  params: { url, ms: 30, value: 'x', ...(rest as { params?: object }).params },
});

export interface EveryConstruct {
  readonly nodes: Record<string, unknown>;
  readonly extra: Record<string, unknown>;
}

/** It waits for the message `go` and for the approval of `decide`. */
export function everyConstruct(url: string): EveryConstruct {
  const counted = (rest: object = {}) => effect(url, rest);
  const valued = (value: string, rest: object = {}) => ({
    type: 'test_counted',
    params: { url, ms: 30 },
    inputs: { value },
    ...rest,
  });
  return {
    extra: {
      inputs: { symbols: { type: 'list', default: ['BTC', 'ETH', 'SOL'] } },
      variables: { total: 0 },
      defaults: { retry: { max_attempts: 5, initial: '50ms' } },
      outputs: { results: 'each.results', iterations: 'again.iterations', total: 'recall.value', child: 'other.y' },
    },
    nodes: {
      seed: { type: 'constant', params: { value: '3' } },
      doubled: { type: 'math', params: { op: 'multiply', b: '2' }, inputs: { a: 'seed.value' } },
      gate: { type: 'threshold', params: { min: '5' }, inputs: { value: 'doubled.value' } },
      high: counted({ after: ['gate.pass'] }),
      low: counted({ after: ['gate.fail'] }),
      guarded: counted({ when: 'doubled.value > 100' }),
      pick: { type: 'switch', params: { cases: { three: '3', four: '4' } }, inputs: { value: 'seed.value' } },
      three: counted({ after: ['pick.three'] }),
      four: counted({ after: ['pick.four'] }),
      any: counted({ after: ['high', 'low'], join: 'any' }),
      each: {
        type: 'map',
        params: { concurrency: 2 },
        inputs: { items: 'input.symbols' },
        body: {
          nodes: {
            call: valued('item.value'),
            nap: { type: 'wait', after: ['call'], params: { for: '80ms' } },
            add: { ...valued('call.value'), after: ['nap'], when: 'doubled.value > 5' },
          },
          outputs: { symbol: 'add.value', index: 'item.index' },
        },
      },
      again: {
        type: 'repeat',
        params: { max_iterations: 5 },
        while: 'item.index < 2',
        body: { nodes: { call: valued('item.index') }, outputs: { at: 'call.value' } },
      },
      other: {
        type: 'subgraph',
        inputs: { x: 'doubled.value' },
        body: { nodes: { inner: valued('input.x') }, outputs: { y: 'inner.value' } },
      },
      breaks: { type: 'math', params: { op: 'divide', a: '1', b: '0' } },
      rescue: counted({ after: ['breaks.error'] }),
      late: counted({ after: ['breaks.finished'] }),
      shrugged: { type: 'math', params: { op: 'divide', a: '1', b: '0' }, on_error: 'continue' },
      remember: { type: 'set', params: { name: 'total' }, inputs: { value: 'each.count' } },
      recall: { type: 'get', after: ['remember'], params: { name: 'total' } },
      message: { type: 'wait_for_signal', params: { name: 'go', deadline: '5m' } },
      told: valued('message.payload'),
      decide: { type: 'approval', params: { deadline: '5m' } },
      approved: counted({ after: ['decide.approved'] }),
      rejected: counted({ after: ['decide.rejected'] }),
      last: counted({
        after: ['any', 'three', 'rescue', 'late', 'again', 'other', 'recall', 'told', 'approved'],
      }),
    },
  };
}

/** Keys of its effects that run: the same in every run. */
export const everyEffect: readonly string[] = [
  ...['high', 'three', 'any', 'rescue', 'late', 'told', 'approved', 'last'],
  ...[0, 1, 2].flatMap((at) => [`each[${at}]/call`, `each[${at}]/add`, `again[${at}]/call`]),
];
