import { describe, expect, it } from '@jest/globals';
import { planGraph, type Plan } from '../../src/graph/plan';
import { assertRunnable } from '../../src/graph/runnable';
import { graphOf, planOf, testTraits, traits } from '../support/plans';

const node = (plan: Plan, id: string) => plan.nodes[plan.index.get(id)!]!;
const edgesInto = (plan: Plan, id: string) =>
  node(plan, id).incoming.map((edge) => {
    const { from, carries, on } = plan.edges[edge]!;
    return `${plan.nodes[from]!.id} ${carries} ${on}`;
  });

describe('a plan', () => {
  it('has an edge for every reference: after, inputs, templates and formulas, each once', () => {
    const plan = planOf({
      a: {},
      b: {
        after: ['a', 'a.success', 'a.error'],
        inputs: { x: 'a.out', again: 'a.out.deeper', lost: 'nowhere.x', odd: 'nonsense' },
        params: { note: '{{a.other}} and {{ a.out }} and {{nonsense}}', count: 3 },
      },
      c: { type: 'if', params: { condition: "a.v > 1 && a.v < 2 || a.w == 'a.z'" } },
      d: { after: ['a.b.c', 'nowhere'] },
    });
    expect(edgesInto(plan, 'b')).toEqual(['a control success', 'a control error', 'a data out', 'a data other']);
    expect(edgesInto(plan, 'c')).toEqual(['a data v', 'a data w']);
    expect(edgesInto(plan, 'd')).toEqual([]);
    expect(node(plan, 'a').outgoing).toHaveLength(6);
  });

  it('puts a guard before a node with `when`, and the node behind its `true`', () => {
    const plan = planOf({ a: {}, b: { when: 'a.v > 1', after: ['a'] } });
    expect(plan.nodes.map(({ id, type }) => [id, type])).toEqual([
      ['a', 'step'],
      ['b:when', 'if'],
      ['b', 'step'],
    ]);
    expect(edgesInto(plan, 'b:when')).toEqual(['a data v']);
    expect(edgesInto(plan, 'b')).toEqual(['b:when control true', 'a control success']);
  });

  it.each([
    ['all', 'all' as const, 3],
    ['the default', undefined, 3],
    ['any', 'any' as const, 1],
    ['a number', 2, 2],
    ['a number above its edges', 9, 3],
  ])('needs as many edges as its join says: %s', (_, join, need) => {
    const plan = planOf({
      a: {},
      b: {},
      c: {},
      d: { after: ['a', 'b', 'c'], ...(join === undefined ? {} : { join }) },
    });
    expect(node(plan, 'd').need).toBe(need);
  });

  it('starts a node without edges at once, whatever its join', () => {
    expect(node(planOf({ a: { join: 'any' } }), 'a').need).toBe(0);
  });

  it('knows whose failure is handled: by error, by finished, by on_error, not by success or data', () => {
    const plan = planOf({
      a: {},
      b: {},
      c: { on_error: 'continue' },
      d: {},
      e: { on_error: 'fail' },
      x: { after: ['a.error', 'b.finished', 'd.success', 'e'], inputs: { v: 'd.error' } },
    });
    expect(plan.nodes.map(({ id, failure_is_handled }) => [id, failure_is_handled])).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
      ['d', false],
      ['e', false],
      ['x', false],
    ]);
  });

  it('takes time-out and retry from the node, and the rest from its kind', () => {
    const plan = planOf({
      a: { timeout: '5s', retry: { max_attempts: 7, initial: '10ms' } },
      b: { retry: { backoff: 3, max: 9 } },
      c: {},
    });
    expect(node(plan, 'a')).toMatchObject({
      timeout_ms: 5_000,
      retry: { max_attempts: 7, initial_ms: 10, backoff: 2, max_ms: 60_000 },
    });
    expect(node(plan, 'b')).toMatchObject({
      timeout_ms: 1_000,
      retry: { max_attempts: 1, initial_ms: 1_000, backoff: 3, max_ms: 9_000 },
    });
    expect(node(plan, 'c')).toMatchObject({ timeout_ms: 1_000, retry: { max_attempts: 1 } });
  });

  it('refuses a kind without traits', () => {
    expect(() => planGraph(graphOf({ a: { type: 'unheard' } }), testTraits)).toThrow('no traits for node kind unheard');
  });
});

describe('a plan that was never validated', () => {
  it('is refused when nodes wait for each other', () => {
    expect(() => {
      assertRunnable(planOf({ a: {}, b: { after: ['a', 'd'] }, c: { after: ['b'] }, d: { after: ['c'] } }));
    }).toThrow('node b waits for itself');
  });

  it.each([
    ['no attempts', traits('pure', { retry: { max_attempts: 0, initial_ms: 1, backoff: 1, max_ms: 1 } })],
    ['a back-off below one', traits('pure', { retry: { max_attempts: 1, initial_ms: 1, backoff: 0.5, max_ms: 1 } })],
    ['no time', traits('pure', { timeout_ms: 0 })],
    ['a time that is no number', traits('pure', { timeout_ms: 'long' as unknown as number })],
    ['no list of formulas', traits('pure', { formulas: undefined as unknown as string[] })],
  ])('is refused when a kind has %s', (_, step) => {
    expect(() => {
      assertRunnable(planGraph({ ...graphOf({ a: {} }) }, { step }));
    }).toThrow(/cannot be run|formulas/);
  });

  it('passes when it is sound', () => {
    expect(() => {
      assertRunnable(planOf({ a: {}, b: { after: ['a'] }, c: { inputs: { x: 'a.v', y: 'b.v' } } }));
    }).not.toThrow();
  });
});
