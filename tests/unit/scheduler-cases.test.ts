import { describe, expect, it } from '@jest/globals';
import type { Plan, PlannedNode } from '../../src/graph/plan';
import * as scheduler from '../../src/graph/scheduler';
import { planOf } from '../support/plans';

const completed = (outputs: Record<string, unknown> = {}, branch?: string): scheduler.Outcome => ({
  kind: 'completed',
  outputs,
  ...(branch === undefined ? {} : { branch }),
});
const failed: scheduler.Outcome = { kind: 'failed', error: 'broken', error_type: 'ConnectionError' };
const text = (size: number) => ({ x: 't'.repeat(size - '{"x":""}'.length) });

class Run {
  readonly plan: Plan;
  readonly state: scheduler.RunState;

  constructor(plan: Plan) {
    this.plan = plan;
    this.state = scheduler.createRun(plan).state;
  }

  at(id: string): number {
    return this.plan.index.get(id)!;
  }

  node(id: string): scheduler.RunNode {
    return this.state.nodes[this.at(id)]!;
  }

  settle(id: string, outcome: scheduler.Outcome) {
    scheduler.start(this.state, this.at(id));
    const { ready, skipped } = scheduler.settle(this.plan, this.state, this.at(id), outcome);
    const names = (indexes: number[]) => indexes.map((index) => this.plan.nodes[index]!.id);
    return { ready: names(ready), skipped: names(skipped) };
  }

  fields(id: string) {
    return scheduler.resolveFields(this.plan, this.state, this.at(id));
  }
}

describe('skipping', () => {
  it('says why: a branch, a missing output, a failure, a skip (S2)', () => {
    const run = new Run(
      planOf({
        c: { type: 'choice' },
        f: { on_error: 'continue' },
        left: { after: ['c.left'] },
        after_left: { after: ['left'] },
        reads: { inputs: { a: 'c.x' } },
        error: { after: ['c.error'] },
        after_f: { after: ['f'] },
      }),
    );
    expect(run.settle('c', completed({}, 'right'))).toEqual({
      ready: [],
      skipped: ['left', 'reads', 'error', 'after_left'],
    });
    expect(run.node('left')).toEqual({ state: 'skipped', reason: 'c took right, not left' });
    expect(run.node('reads')).toEqual({ state: 'skipped', reason: 'c gave no x' });
    expect(run.node('error')).toEqual({ state: 'skipped', reason: 'c took right, not error' });
    expect(run.node('after_left')).toEqual({ state: 'skipped', reason: 'left was skipped' });
    run.settle('f', failed);
    expect(run.node('after_f')).toEqual({ state: 'skipped', reason: 'f failed' });
  });

  it('says of a node without branches that it did not end so', () => {
    const run = new Run(planOf({ a: {}, b: { after: ['a.error'] } }));
    run.settle('a', completed());
    expect(run.node('b')).toEqual({ state: 'skipped', reason: 'a did not end with error' });
  });

  it('abandons what has not started, with the reason given', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: { after: ['a'] } }));
    scheduler.start(run.state, run.at('a'));
    expect(scheduler.abandonRest(run.plan, run.state, 'cancelled').skipped).toEqual([run.at('b'), run.at('c')]);
    expect(scheduler.isDone(run.state)).toBe(false);
    expect(run.node('c')).toEqual({ state: 'skipped', reason: 'cancelled' });
  });
});

describe('handing out', () => {
  it('hands a node out again after it was taken back', () => {
    const run = new Run(planOf({ a: {} }));
    scheduler.start(run.state, 0);
    scheduler.unstart(run.state, 0);
    expect(run.node('a')).toEqual({ state: 'ready' });
    expect(run.settle('a', completed())).toEqual({ ready: [], skipped: [] });
  });

  it('refuses what is not in the state it must be in', () => {
    const run = new Run(planOf({ a: {}, b: { after: ['a'] } }));
    expect(() => {
      scheduler.start(run.state, 1);
    }).toThrow('node 1 is pending, not ready');
    expect(() => {
      scheduler.unstart(run.state, 0);
    }).toThrow('node 0 is ready, not running');
    expect(() => scheduler.settle(run.plan, run.state, 0, completed())).toThrow('node 0 is ready, not running');
    expect(() => {
      scheduler.start(run.state, 7);
    }).toThrow('node 7 is unknown');
    expect(() => {
      scheduler.unstart(run.state, 7);
    }).toThrow('node 7 is unknown');
    expect(() => scheduler.settle(run.plan, run.state, 7, completed())).toThrow('node 7 is unknown');
  });

  it('refuses a plan and a state that do not belong together', () => {
    const run = new Run(planOf({ a: {} }));
    scheduler.start(run.state, 0);
    expect(() => scheduler.settle({ nodes: [], edges: [], index: new Map() }, run.state, 0, completed())).toThrow(
      RangeError,
    );
    const edgeless = { ...planOf({ a: {}, b: { after: ['a'] } }), edges: [] };
    expect(() => scheduler.settle(edgeless, run.state, 0, completed())).toThrow(RangeError);
  });
});

describe('the budget of outputs (S6)', () => {
  const { OUTPUT_BUDGET } = scheduler;

  it('drops what nobody reads any more, oldest first, and only beyond half of the budget', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: {}, d: {} }));
    run.settle('a', completed(text(200_000)));
    run.settle('b', completed(text(200_000)));
    expect(run.node('a')).toMatchObject({ outputs: expect.anything() });
    run.settle('c', completed(text(200_000)));
    expect(run.node('a')).not.toHaveProperty('outputs');
    expect(run.node('b')).toHaveProperty('outputs');
    expect(run.state.held).toBe(400_000);
  });

  it('never drops what an unfinished node reads, also one that is taken back', () => {
    const run = new Run(planOf({ a: {}, reader: { inputs: { v: 'a.x' } }, b: {}, c: {} }));
    run.settle('a', completed(text(400_000)));
    scheduler.start(run.state, run.at('reader'));
    scheduler.unstart(run.state, run.at('reader'));
    run.settle('b', completed(text(300_000)));
    run.settle('c', completed(text(300_000)));
    expect(run.fields('reader')['v']).toHaveLength(400_000 - 8);
    expect(run.node('b')).not.toHaveProperty('outputs');
    run.settle('reader', completed());
    expect(run.state.unread).toContain(run.at('a'));
  });

  it('fails a node whose output does not fit beside what is still read, exactly beyond the limit', () => {
    const nodes = { a: {}, b: {}, c: { inputs: { x: 'a.x', y: 'b.x' } } };
    const fits = new Run(planOf(nodes));
    fits.settle('a', completed(text(OUTPUT_BUDGET / 2)));
    fits.settle('b', completed(text(OUTPUT_BUDGET / 2)));
    expect(fits.node('b').state).toBe('completed');
    const bursts = new Run(planOf(nodes));
    bursts.settle('a', completed(text(OUTPUT_BUDGET / 2)));
    expect(bursts.settle('b', completed(text(OUTPUT_BUDGET / 2 + 1)))).toEqual({ ready: [], skipped: ['c'] });
    expect(bursts.node('b')).toMatchObject({ state: 'failed', error_type: 'OutputTooLarge' });
    expect(bursts.state.failure).toMatchObject({ node_id: 'b', error_type: 'OutputTooLarge' });
  });

  it('frees the input of a node that is skipped', () => {
    const run = new Run(planOf({ a: {}, c: { type: 'choice' }, b: { inputs: { v: 'a.x' }, after: ['c.left'] } }));
    run.settle('a', completed(text(100)));
    expect(run.state.unread).toEqual([]);
    run.settle('c', completed({}, 'right'));
    expect(run.state.unread).toContain(run.at('a'));
  });
});

describe('the fields of a node', () => {
  it('are its literals with references filled in and its inputs by their paths', () => {
    const run = new Run(
      planOf({
        a: {},
        b: {
          params: { note: 'at {{a.price}}, {{ a.book }}, {{nobody.x}}', list: [1], limit: 5 },
          inputs: { bid: 'a.book.bids.0', gone: 'a.book.asks.0', odd: 'not a reference' },
        },
      }),
    );
    run.settle('a', completed({ price: '9.5', book: { bids: ['9'] } }));
    expect(run.fields('b')).toEqual({ note: 'at 9.5, {"bids":["9"]}, ', list: [1], limit: 5, bid: '9' });
  });

  it('carry a formula as its text and the values in it, from params and from inputs', () => {
    const run = new Run(planOf({ a: {}, b: { type: 'if', params: { condition: 'a.v > 1' } }, c: { when: 'a.v > 2' } }));
    run.settle('a', completed({ v: '3' }));
    expect(run.fields('b')).toEqual({ condition: { formula: 'a.v > 1', values: { 'a.v': '3' } } });
    expect(run.fields('c:when')).toEqual({ condition: { formula: 'a.v > 2', values: { 'a.v': '3' } } });
    const byInput = new Run(planOf({ a: {}, b: { type: 'if', inputs: { condition: 'a.v' } } }));
    byInput.settle('a', completed({ v: true }));
    expect(byInput.fields('b')).toEqual({ condition: { formula: 'a.v', values: { 'a.v': true } } });
  });

  it('leave out what a join below `all` did not wait for', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: { join: 'any', inputs: { x: 'a.v', y: 'b.v' } } }));
    expect(run.settle('a', completed({ v: 1 })).ready).toEqual(['c']);
    expect(run.fields('c')).toEqual({ x: 1 });
  });
});

describe('the cost of settling (S4)', () => {
  /** A plan that counts how often one of its edges is looked at. */
  function counted(plan: Plan): { plan: Plan; looks: () => number } {
    let looks = 0;
    const edges = new Proxy(plan.edges, {
      get: (target, key, receiver) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    return { plan: { ...plan, edges }, looks: () => looks };
  }

  /** Settles everything in the order it becomes ready; each edge may be looked at a fixed number of times. */
  function looksPerEdge(source: Plan): number {
    const { plan, looks } = counted(source);
    const { state, decision } = scheduler.createRun(plan);
    const ready = [...decision.ready];
    for (const index of ready) {
      scheduler.start(state, index);
      ready.push(...scheduler.settle(plan, state, index, completed({ x: 1 }, 'left')).ready);
    }
    expect(scheduler.isDone(state)).toBe(true);
    return looks() / plan.edges.length;
  }

  const SIZE = 10_000;
  const many = (spec: (at: number) => Partial<PlannedNode> & Record<string, unknown>) =>
    Object.fromEntries(Array.from({ length: SIZE }, (_, at) => [`n${at}`, spec(at)]));

  const shapes: [string, () => Plan][] = [
    ['a chain', () => planOf(many((at) => (at === 0 ? {} : { inputs: { v: `n${at - 1}.x` } })))],
    ['a fan out', () => planOf({ source: {}, ...many(() => ({ inputs: { v: 'source.x' } })) })],
    [
      'a fan in',
      () => planOf({ ...many(() => ({})), sink: { after: Array.from({ length: SIZE }, (_, at) => `n${at}`) } }),
    ],
    [
      'a cascade of skips',
      () => planOf({ c: { type: 'choice' }, ...many((at) => ({ after: [at === 0 ? 'c.right' : `n${at - 1}`] })) }),
    ],
  ];
  it.each(shapes)('looks at every edge of %s of 10,000 nodes a few times in all', (_, make) => {
    expect(looksPerEdge(make())).toBeLessThanOrEqual(3);
  });
});
