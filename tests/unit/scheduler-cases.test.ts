import { describe, expect, it } from '@jest/globals';
import { FrameTable } from '../../src/graph/frame';
import { OutputLedger } from '../../src/graph/output-ledger';
import type { Plan } from '../../src/graph/plan';
import * as renewals from '../../src/graph/renewal';
import * as scheduler from '../../src/graph/scheduler';
import { fieldsIn } from '../../src/graph/scope';
import { completed, failed, planOf, type Nodes } from '../support/plans';

const LIMIT = 1_000_000;
const text = (size: number) => ({ x: 't'.repeat(size - '{"x":""}'.length) });

class Run implements scheduler.Run {
  readonly plan: Plan;
  readonly state: scheduler.RunState;
  readonly ledger = new OutputLedger(LIMIT);

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

  states(): Record<string, string> {
    return Object.fromEntries(this.plan.nodes.map(({ id }) => [id, this.node(id).state]));
  }

  names(indexes: readonly number[]): string[] {
    return indexes.map((index) => this.plan.nodes[index]!.id);
  }

  start(...ids: readonly string[]): void {
    for (const id of ids) scheduler.start(this.state, this.at(id));
  }

  settle(id: string, outcome: scheduler.Outcome) {
    if (this.node(id).state === 'ready') this.start(id);
    const { ready, skipped } = scheduler.settle(this, this.at(id), outcome);
    return { ready: this.names(ready), skipped: this.names(skipped) };
  }

  renew(id: string) {
    const renewal = renewals.renew(this, this.at(id));
    return renewal && { ready: this.names(renewal.ready), renewed: this.names(renewal.renewed) };
  }

  dismiss(id: string, reason = 'passed over') {
    const renewal = renewals.dismiss(this, this.at(id), reason);
    return (
      renewal && {
        ready: this.names(renewal.ready),
        skipped: this.names(renewal.skipped),
        renewed: this.names(renewal.renewed),
      }
    );
  }

  get unread(): string[] {
    return [...this.ledger.unread].map((node) => this.plan.nodes[this.state.nodes.indexOf(node)]!.id);
  }

  fields(id: string) {
    const frames = new FrameTable();
    const frame = frames.open({ path: '', plan: this.plan, run: this.state, generation: 0 });
    return fieldsIn({ frames, loops: new Map(), inputs: {} }, frame, this.plan.nodes[this.at(id)]!);
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
    expect(scheduler.abandonRest(run, 'cancelled').skipped).toEqual([run.at('b'), run.at('c')]);
    expect(scheduler.isDone(run.state)).toBe(false);
    expect(run.node('c')).toEqual({ state: 'skipped', reason: 'cancelled', abandoned: true });
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
    expect(() => scheduler.settle(run, 0, completed())).toThrow('node 0 is ready, not running');
    expect(() => {
      scheduler.start(run.state, 7);
    }).toThrow('node 7 is unknown');
    expect(() => {
      scheduler.unstart(run.state, 7);
    }).toThrow('node 7 is unknown');
    expect(() => scheduler.settle(run, 7, completed())).toThrow('node 7 is unknown');
  });

  it('refuses a plan and a state that do not belong together', () => {
    const run = new Run(planOf({ a: {} }));
    const { state, ledger } = run;
    scheduler.start(state, 0);
    expect(() => scheduler.settle({ plan: planOf({}), state, ledger }, 0, completed())).toThrow(RangeError);
    const edgeless = { ...planOf({ a: {}, b: { after: ['a'] } }), edges: [] };
    expect(() => scheduler.settle({ plan: edgeless, state, ledger }, 0, completed())).toThrow(RangeError);
  });
});

describe('the budget of outputs (S6)', () => {
  it('drops what nobody reads any more, oldest first, and only beyond half of the budget', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: {}, d: {} }));
    run.settle('a', completed(text(200_000)));
    run.settle('b', completed(text(200_000)));
    expect(run.node('a')).toMatchObject({ outputs: expect.anything() });
    run.settle('c', completed(text(200_000)));
    expect(run.node('a')).not.toHaveProperty('outputs');
    expect(run.node('b')).toHaveProperty('outputs');
    expect(run.ledger.held).toBe(400_000);
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
    expect(run.unread).toContain('a');
  });

  it('fails a node whose output does not fit beside what is still read, exactly beyond the limit', () => {
    const nodes = { a: {}, b: {}, c: { inputs: { x: 'a.x', y: 'b.x' } } };
    const fits = new Run(planOf(nodes));
    fits.settle('a', completed(text(LIMIT / 2)));
    fits.settle('b', completed(text(LIMIT / 2)));
    expect(fits.node('b').state).toBe('completed');
    const bursts = new Run(planOf(nodes));
    bursts.settle('a', completed(text(LIMIT / 2)));
    expect(bursts.settle('b', completed(text(LIMIT / 2 + 1)))).toEqual({ ready: [], skipped: ['c'] });
    expect(bursts.node('b')).toMatchObject({ state: 'failed', error_type: 'OutputTooLarge' });
    expect(bursts.state.failure).toMatchObject({ node_id: 'b', error_type: 'OutputTooLarge' });
  });

  it('frees the input of a node that is skipped', () => {
    const run = new Run(planOf({ a: {}, c: { type: 'choice' }, b: { inputs: { v: 'a.x' }, after: ['c.left'] } }));
    run.settle('a', completed(text(100)));
    expect(run.unread).toEqual([]);
    run.settle('c', completed({}, 'right'));
    expect(run.unread).toContain('a');
  });
});

describe('outputs that are read again, or given at the end', () => {
  it('stay while the graph gives them when it ends', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: {} }, { outputs: { x: 'a.x' } }));
    run.settle('a', completed(text(400_000)));
    run.settle('b', completed(text(400_000)));
    run.settle('c', completed(text(200_000)));
    expect(run.node('a')).toHaveProperty('outputs');
    expect(run.node('b')).not.toHaveProperty('outputs');
  });

  it('are dropped in the order they were last read, not in the order they were given', () => {
    const plan = planOf({ a: {}, reader: { inputs: { v: 'a.x' }, on_error: 'continue' }, b: {}, c: {}, d: {} });
    const run = new Run(plan);
    run.settle('a', completed(text(100_000)));
    run.settle('reader', failed);
    run.settle('b', completed(text(100_000)));
    expect(run.unread).toEqual(['a', 'b']);
    run.renew('reader');
    expect(run.unread).toEqual(['b']);
    run.settle('reader', failed);
    expect(run.unread).toEqual(['b', 'a']);
    run.settle('c', completed(text(400_000)));
    expect([run.node('a'), run.node('b')].map((node) => 'outputs' in node)).toEqual([true, false]);
  });
});

describe('a new generation (S5)', () => {
  it('of a node that failed makes wait again what was skipped for it, and nothing else', () => {
    const run = new Run(
      planOf({
        a: { on_error: 'continue' },
        c: { type: 'choice' },
        b: { after: ['a'] },
        after_b: { inputs: { x: 'b.x' } },
        both: { after: ['b', 'c.left'] },
        aside: { after: ['c.left'] },
        handler: { after: ['a.error'] },
      }),
    );
    run.settle('c', completed({}, 'right'));
    expect(run.settle('a', failed)).toEqual({ ready: ['handler'], skipped: ['b', 'after_b'] });
    run.settle('handler', completed());
    expect(scheduler.isDone(run.state)).toBe(true);
    expect(run.renew('a')).toEqual({ ready: ['a'], renewed: ['a', 'b', 'after_b', 'both'] });
    expect(run.states()).toMatchObject({ b: 'pending', both: 'skipped', aside: 'skipped', handler: 'completed' });
    expect(run.settle('a', completed()).ready).toEqual(['b']);
    expect(run.settle('b', completed({ x: 1 })).ready).toEqual(['after_b']);
    run.settle('after_b', completed());
    expect(scheduler.isDone(run.state)).toBe(true);
  });

  it('settles its edges once more also for nodes that still wait: none is counted twice', () => {
    const nodes = { a: { on_error: 'continue' as const }, b: {}, c: {} };
    const any = new Run(planOf({ ...nodes, d: { join: 'any', after: ['a', 'b'] } }));
    any.settle('a', failed);
    any.renew('a');
    any.settle('a', failed);
    expect(any.node('d').state).toBe('pending');
    expect(any.settle('b', completed()).ready).toEqual(['d']);
    const all = new Run(planOf({ ...nodes, d: { after: ['a.finished', 'b', 'c'] } }));
    all.settle('a', failed);
    all.renew('a');
    all.settle('a', completed());
    expect(all.settle('b', completed()).ready).toEqual([]);
    expect(all.settle('c', completed()).ready).toEqual(['d']);
  });

  it('revives what was given up when its failure ended the run, with what ended meanwhile counted', () => {
    const run = new Run(
      planOf({ a: {}, b: {}, c: { after: ['b'] }, d: { inputs: { x: 'b.x' }, after: ['a'] }, free: {} }),
    );
    run.start('b');
    expect(run.settle('a', failed).skipped).toEqual(['c', 'd', 'free']);
    run.settle('b', completed({ x: 1 }));
    expect(run.renew('a')).toEqual({ ready: ['a', 'c', 'free'], renewed: ['a', 'c', 'd', 'free'] });
    expect(run.state.failure).toBeUndefined();
    expect(run.settle('a', completed()).ready).toEqual(['d']);
    expect(run.fields('d')).toEqual({ x: 1 });
  });

  it('revives nothing while another failure holds the run', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: { after: ['a', 'b'] } }));
    run.start('a', 'b');
    run.settle('a', failed);
    run.settle('b', { kind: 'failed', error: 'late', error_type: 'TimeoutError' });
    expect(run.state.failure?.node_id).toBe('a');
    expect(run.renew('a')).toEqual({ ready: ['a'], renewed: ['a'] });
    expect(run.state.failure).toEqual({ node_id: 'b', error: 'late', error_type: 'TimeoutError' });
    expect(run.settle('a', completed())).toEqual({ ready: [], skipped: [] });
    expect(run.renew('b')).toEqual({ ready: ['b'], renewed: ['b', 'c'] });
    expect(run.settle('b', completed()).ready).toEqual(['c']);
    expect(run.state.failure).toBeUndefined();
  });

  it('of a node whose failure was handled makes its dependents wait for the failure that holds the run', () => {
    const run = new Run(planOf({ a: { on_error: 'continue' }, b: { after: ['a'] }, x: {} }));
    run.settle('a', failed);
    run.settle('x', failed);
    expect(run.renew('a')).toEqual({ ready: ['a'], renewed: ['a'] });
    run.settle('a', completed());
    expect(run.node('b').state).toBe('skipped');
    expect(run.renew('x')).toEqual({ ready: ['x', 'b'], renewed: ['x', 'b'] });
  });

  it('is refused where an input of anything that would run is gone, and where nothing failed or was skipped', () => {
    const run = new Run(planOf({ a: {}, b: { inputs: { v: 'a.x' }, on_error: 'continue' }, c: {} }));
    run.settle('a', completed(text(300_000)));
    run.settle('b', failed);
    expect(renewals.canRenew(run, run.at('b'))).toBe(true);
    run.settle('c', completed(text(300_000)));
    expect(renewals.canRenew(run, run.at('b'))).toBe(false);
    expect(run.renew('b')).toBeUndefined();
    expect(run.node('b').state).toBe('failed');
    expect(run.renew('a')).toBeUndefined();
    expect(run.dismiss('a')).toBeUndefined();
    const given = new Run(planOf({ a: {}, b: { inputs: { v: 'a.x' } }, fails: {}, big: {} }));
    given.settle('a', completed(text(300_000)));
    given.start('big');
    given.settle('fails', failed);
    given.settle('big', completed(text(300_000)));
    expect(given.dismiss('fails')).toBeUndefined();
    expect(given.state.failure?.node_id).toBe('fails');
  });
});

describe('passing a node over', () => {
  it('skips it and what needs it', () => {
    const run = new Run(planOf({ a: {}, b: { after: ['a'] }, c: { after: ['a.finished'] } }));
    run.start('a');
    expect(run.dismiss('a')).toEqual({ ready: [], skipped: ['a', 'b', 'c'], renewed: [] });
    expect(run.node('a')).toEqual({ state: 'skipped', reason: 'passed over', passed_over: true });
    expect(scheduler.isDone(run.state)).toBe(true);
  });

  it('revives what was given up for its failure', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: { after: ['b'] }, d: { after: ['a'] } }));
    run.start('b');
    run.settle('a', failed);
    expect(run.dismiss('a')).toEqual({ ready: [], skipped: ['a', 'd'], renewed: ['c', 'd'] });
    expect(run.settle('b', completed()).ready).toEqual(['c']);
    expect(run.state.failure).toBeUndefined();
  });

  it('leaves the edges of a handled failure as they were settled', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: { after: ['a.error', 'b'] } }));
    run.settle('a', failed);
    expect(run.dismiss('a')).toEqual({ ready: [], skipped: ['a'], renewed: [] });
    expect(run.settle('b', completed()).ready).toEqual(['c']);
  });

  it('leaves them so when what reads them was given up and waits again', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: { after: ['a.error', 'b'] }, d: {} }));
    run.settle('a', failed);
    run.start('b');
    run.dismiss('a');
    run.settle('d', failed);
    expect(run.dismiss('d')).toEqual({ ready: [], skipped: ['d'], renewed: ['c'] });
    expect(run.settle('b', completed()).ready).toEqual(['c']);
  });

  it('holds when what the node depends on begins anew', () => {
    const run = new Run(
      planOf({ a: {}, b: { after: ['a.finished'] }, after_b: { after: ['b'] }, c: { after: ['a'] } }),
    );
    run.settle('a', failed);
    run.dismiss('b');
    expect(run.renew('a')).toEqual({ ready: ['a'], renewed: ['a', 'c'] });
    expect(run.states()).toMatchObject({ b: 'skipped', after_b: 'skipped', c: 'pending' });
  });

  it('gives a node up that had started, with the rest, and never one that ended', () => {
    const run = new Run(planOf({ a: {}, b: {}, c: {} }));
    run.start('b', 'c');
    run.settle('a', failed);
    expect(run.names(scheduler.giveUp(run, run.at('b'), 'a failed').skipped)).toEqual(['b']);
    expect(scheduler.giveUp(run, run.at('a'), 'a failed').skipped).toEqual([]);
    run.settle('c', completed());
    expect(scheduler.isDone(run.state)).toBe(true);
    expect(run.renew('a')).toEqual({ ready: ['a', 'b'], renewed: ['a', 'b'] });
  });
});

describe('the fields of a node', () => {
  it('are read from its own fields alone, whatever they are called', () => {
    const run = new Run(planOf({ a: { params: { constructor: 'x', toString: 1 } } }));
    expect(run.fields('a')).toEqual({ constructor: 'x', toString: 1 });
  });

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
    const run = { plan, state, ledger: new OutputLedger(LIMIT) };
    const ready = [...decision.ready];
    for (const index of ready) {
      scheduler.start(state, index);
      ready.push(...scheduler.settle(run, index, completed({ x: 1 }, 'left')).ready);
    }
    expect(scheduler.isDone(state)).toBe(true);
    return looks() / plan.edges.length;
  }

  const SIZE = 10_000;
  const many = (spec: (at: number) => Nodes[string]): Nodes =>
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
