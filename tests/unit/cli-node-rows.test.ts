import { describe, expect, it } from '@jest/globals';
import { adviceFor, quoted, waitWords } from '../../src/cli/advice';
import { countWords, countsOf, nodeRows } from '../../src/cli/node-rows';
import type { NodeStatus } from '../../src/workflows/messages';

const node = (more: Partial<NodeStatus> = {}): NodeStatus => ({
  type: 'constant',
  state: 'completed',
  generation: 0,
  dispatch: 0,
  ...more,
});
const frames = (count: number, of: (at: number) => Partial<NodeStatus> = () => ({})) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`each[${at}]/price`, node(of(at))]));
const names = (nodes: Record<string, NodeStatus>) => nodeRows({ nodes }).rows.map(({ name }) => name);

describe('the nodes of an execution as rows', () => {
  it('show a few frames one by one, and fold many into one with its counts', () => {
    expect(names({ each: node(), ...frames(3) })).toEqual(['each', 'each[0]/price', 'each[1]/price', 'each[2]/price']);
    const nodes = frames(120, (at) => ({ state: at < 118 ? 'completed' : 'running' }));
    expect(nodeRows({ nodes })).toEqual({
      rows: [
        { name: 'each[*]/price', type: 'constant', state: '2 running, 118 completed', worst: 'running', result: '' },
      ],
      left_out: {},
    });
  });

  it('fold nested frames by node, whatever loop they are in', () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`each[${Math.floor(at / 3)}]/again[${at % 3}]/price`, node()]),
    );
    expect(names(nodes)).toEqual(['each[*]/again[*]/price']);
  });

  it('follow their loop, and stand at the end where it has none', () => {
    const nodes = {
      ...{ each: node(), last: node() },
      ...{ 'on_halt[1]/stop': node(), 'each[0]/again': node(), 'each[0]/again[0]/price': node() },
    };
    expect(names(nodes)).toEqual(['each', 'each[0]/again', 'each[0]/again[0]/price', 'last', 'on_halt[1]/stop']);
  });

  it('keep the first that failed or wait beside the fold, and say how many more there are', () => {
    const nodes = frames(20, (at) => (at % 2 === 0 ? { state: 'failed', error: 'no', error_type: 'X' } : {}));
    const { rows } = nodeRows({ nodes });
    expect(rows.map(({ name }) => name)).toEqual([
      'each[*]/price',
      ...[0, 2, 4, 6, 8].map((at) => `each[${at}]/price`),
    ]);
    expect(rows[0]).toMatchObject({ worst: 'failed', result: '5 more failed or waiting than shown' });
    expect(rows[1]?.result).toBe('X: no');
  });

  it('leave ordinary nodes out where there are more than 200 rows, and count them', () => {
    const chain = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`n${at}`, node()]));
    const nodes = { ...chain, bad: node({ state: 'failed' }), busy: node({ state: 'running' }), ...frames(10) };
    const { rows, left_out } = nodeRows({ nodes });
    expect(rows.map(({ name }) => name)).toEqual(['bad', 'busy']);
    expect(left_out).toEqual({ completed: 510 });
    expect(nodeRows({ nodes }, { all: true })).toMatchObject({ rows: { length: 512 }, left_out: {} });
  });

  it('say what a node gave, why it failed or was skipped, and what it waits for', () => {
    const result = (more: Partial<NodeStatus>) => nodeRows({ nodes: { a: node(more) } }).rows[0]?.result;
    expect(result({ outputs: { value: 1 } })).toBe('{"value":1}');
    expect(result({ branch: 'pass', outputs: { value: 1 } })).toBe('→ pass {"value":1}');
    expect(result({ branch: 'pass' })).toBe('→ pass');
    expect(result({ state: 'failed', error: 'no' })).toBe('error: no');
    expect(result({ state: 'skipped', reason: 'not taken' })).toBe('not taken');
    expect(result({ state: 'waiting', waits_for: { kind: 'child', child_id: 'exec_1' } })).toBe('waits for exec_1');
  });

  it('are counted in the order of urgency', () => {
    const all = { a: node(), b: node({ state: 'waiting' }), c: node(), d: node({ state: 'failed' }) };
    expect(countWords(countsOf(Object.entries(all)))).toBe('1 failed, 1 waiting, 2 completed');
  });
});

describe('what a node waits for, in words', () => {
  const until = '2026-01-05T12:00:00.000Z';
  it.each([
    [{ kind: 'timer', until }, `waits until ${until}`],
    [{ kind: 'signal', name: 'go' }, 'waits for the message go'],
    [{ kind: 'approval' }, 'waits for the approval of an operator'],
    [
      { kind: 'approval', approvers: ['ada', 'bob'], until, message: 'Buy?' },
      `waits for the approval of ada or bob until ${until}: Buy?`,
    ],
    [{ kind: 'deferral', until, why: 'the breaker is open' }, `the breaker is open; tried again at ${until}`],
  ] as const)('%j is %s', (wait, words) => {
    expect(waitWords(wait)).toBe(words);
  });
});

describe('what can be done', () => {
  const execution_id = 'exec_1';

  it('is the decision, the message or the retry, each with its command', () => {
    const nodes = {
      done: node(),
      pause: node({ state: 'waiting', waits_for: { kind: 'timer' } }),
      'each[3]/go_on': node({ state: 'waiting', waits_for: { kind: 'approval' } }),
      prices: node({ state: 'waiting', waits_for: { kind: 'signal', name: 'the day' } }),
      bad: node({ state: 'failed', error: 'no' }),
    };
    expect(adviceFor({ execution_id, nodes })).toEqual([
      { node: 'each[3]/go_on', why: expect.any(String), command: "holdfast approve exec_1 'each[3]/go_on'" },
      { node: 'prices', why: expect.any(String), command: "holdfast message exec_1 'the day' --payload JSON" },
      { node: 'bad', why: 'failed: no', command: 'holdfast retry exec_1 bad' },
    ]);
  });

  it('is said for ten nodes at most', () => {
    const nodes = frames(50, () => ({ state: 'failed' }));
    expect(adviceFor({ execution_id, nodes })).toHaveLength(10);
  });

  it('quotes what a shell would take apart', () => {
    expect(['price', 'each[3]/price', "it's", ''].map(quoted)).toEqual([
      'price',
      "'each[3]/price'",
      "'it'\\''s'",
      "''",
    ]);
  });
});
