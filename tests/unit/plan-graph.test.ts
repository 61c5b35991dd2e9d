import { describe, expect, it } from '@jest/globals';
import { planGraph, planOnHalt, type Plan } from '../../src/graph/plan';
import { assertRunnable } from '../../src/graph/runnable';
import { bodyOf, graphOf, planOf, testTraits, traits } from '../support/plans';

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
    ['all', 'all' as const, { required: 3, counted: 0, need: 0 }],
    ['the default', undefined, { required: 3, counted: 0, need: 0 }],
    ['any', 'any' as const, { required: 0, counted: 3, need: 1 }],
    ['a number', 2, { required: 0, counted: 3, need: 2 }],
    ['a number above its edges', 9, { required: 0, counted: 3, need: 3 }],
  ])('needs as many edges as its join says: %s', (_, join, expected) => {
    const d = { after: ['a', 'b', 'c'], ...(join === undefined ? {} : { join }) };
    expect(node(planOf({ a: {}, b: {}, c: {}, d }), 'd')).toMatchObject(expected);
  });

  it('counts for a join what `after` names and requires the data beside it, or counts the data where nothing stands there', () => {
    const sources = { a: {}, b: {}, c: {} };
    const inputs = { x: 'b.x', y: 'c.y' };
    const both = planOf({ ...sources, d: { join: 'any', after: ['a', 'b'], inputs } });
    expect(node(both, 'd')).toMatchObject({ required: 2, counted: 2, need: 1 });
    const data = planOf({ ...sources, d: { join: 'any', inputs, when: 'a.v > 1' } });
    expect(node(data, 'd')).toMatchObject({ required: 1, counted: 2, need: 1 });
    expect(data.edges.filter(({ to }) => to === 4).map(({ counted }) => counted)).toEqual([false, true, true]);
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

  it('passes `on_error` on to the guard of `when`', () => {
    const plan = planOf({ a: { when: 'true', on_error: 'continue' }, b: { when: 'true' } });
    expect(node(plan, 'a:when').failure_is_handled).toBe(true);
    expect(node(plan, 'b:when').failure_is_handled).toBe(false);
  });

  it('knows what the graph and its bodies give when they end', () => {
    const body = bodyOf({ a: {}, c: {} }, { y: 'a.x' });
    const plan = planOf({ a: {}, b: {}, each: { type: 'map', body } }, { outputs: { x: 'b.x.deeper' } });
    expect(plan.nodes.map(({ is_output }) => is_output)).toEqual([false, true, false]);
    expect(node(plan, 'each').body?.nodes.map(({ is_output }) => is_output)).toEqual([true, false]);
  });

  it('takes `defaults` for nodes that call the world alone, and the node before them', () => {
    const defaults = {
      ...{ timeout: 7, total_timeout: '1m', circuit_breaker: 'exchange', task_queue: 'far' },
      ...{ retry: { max_attempts: 9, initial: 2 }, rate_limit: { calls: 3, per: '2s' } },
    };
    const own = { retry: { max_attempts: 2 }, timeout: 1, rate_limit: { calls: 1, per: 1 } };
    const plan = planOf({ pure: {}, far: { type: 'fetch' }, own: { type: 'fetch', ...own } }, { defaults });
    expect(node(plan, 'pure')).not.toHaveProperty('task_queue');
    expect(node(plan, 'pure')).toMatchObject({ timeout_ms: 1_000, retry: { max_attempts: 1 } });
    const shared = { total_timeout_ms: 60_000, circuit_breaker: 'exchange', task_queue: 'far' };
    expect(node(plan, 'far')).toMatchObject({
      ...{ ...shared, timeout_ms: 7_000, retry: { max_attempts: 9, initial_ms: 2_000, backoff: 2 } },
      rate_limit: { calls: 3, per_ms: 2_000 },
    });
    expect(node(plan, 'own')).toMatchObject({
      ...{ ...shared, timeout_ms: 1_000, retry: { max_attempts: 2, initial_ms: 2_000 } },
      rate_limit: { calls: 1, per_ms: 1_000 },
    });
  });

  it('refuses a kind without traits', () => {
    expect(() => planGraph(graphOf({ a: { type: 'unheard' } }), testTraits)).toThrow('no traits for node kind unheard');
  });
});

describe('the plan of a loop', () => {
  it('holds its body as a plan of its own, with a guard at its end where there is a `while`', () => {
    const body = bodyOf({ price: {}, next: { inputs: { p: 'price.last' } } }, { last: 'price.last' });
    const plan = planOf({ again: { type: 'repeat', body, while: 'price.last > 3' }, each: { type: 'map', body } });
    const again = node(plan, 'again').body!;
    expect(again.nodes.map(({ id }) => id)).toEqual(['price', 'next', ':while']);
    expect(edgesInto(again, ':while')).toEqual(['price data last']);
    expect(again.outputs).toEqual({ last: 'price.last' });
    expect(node(plan, 'each').body!.nodes.map(({ id }) => id)).toEqual(['price', 'next']);
  });

  it('waits for all that anything inside takes from around it: fields, guards, outputs, `while`, and loops inside', () => {
    const inner = bodyOf({ x: { inputs: { a: 'deep.v', own: 'here.v', item: 'item.parent.value' } } });
    const body = bodyOf(
      {
        here: { params: { note: 'at {{text.v}}', start: '{{input.v}}' }, when: 'guard.v > 1' },
        loop: { type: 'map', inputs: { items: 'list.v' }, body: inner },
      },
      { out: 'given.v', odd: 'nonsense' },
    );
    const sources = Object.fromEntries(
      ['deep', 'text', 'guard', 'list', 'given', 'goes_on', 'before', 'items'].map((id) => [id, {}]),
    );
    const again = { type: 'repeat', after: ['before'], while: 'goes_on.v && here.v', body };
    const plan = planOf({ ...sources, again });
    expect(edgesInto(plan, 'again').sort()).toEqual(
      [
        'before control success',
        ...['deep', 'text', 'guard', 'list', 'given', 'goes_on'].map((id) => `${id} data v`),
      ].sort(),
    );
  });

  it('leaves the body of a `subgraph` to the execution it becomes', () => {
    const body = bodyOf({ a: { inputs: { x: 'outside.v' } } });
    const plan = planOf({ outside: {}, child: { type: 'subgraph', body }, named: { type: 'subgraph' } });
    expect(node(plan, 'child')).toMatchObject({ child: body, incoming: [] });
    expect(node(plan, 'child')).not.toHaveProperty('body');
    expect(node(plan, 'named')).not.toHaveProperty('child');
  });

  it('is made for what runs at a halt as well, with the same defaults and no edges to the graph', () => {
    const halting = graphOf(
      { a: {} },
      { on_halt: bodyOf({ cancel: { type: 'fetch', inputs: { x: 'a.x' } } }), defaults: { task_queue: 'far' } },
    );
    const plan = planOnHalt(halting, testTraits)!;
    expect(plan.nodes).toMatchObject([{ id: 'cancel', task_queue: 'far', incoming: [] }]);
    expect(planOnHalt(graphOf({ a: {} }), testTraits)).toBeUndefined();
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
