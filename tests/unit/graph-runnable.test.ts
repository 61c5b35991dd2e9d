import { describe, expect, it } from '@jest/globals';
import type { KindTraits } from '../../src/graph/kinds';
import { planGraph, planOnHalt } from '../../src/graph/plan';
import { assertRunnable } from '../../src/graph/runnable';
import type { Graph } from '../../src/graph/schema';
import { testTraits, traits } from '../support/plans';

const kinds: Readonly<Record<string, KindTraits>> = {
  ...testTraits,
  call: traits('read'),
  map: traits('control'),
  repeat: traits('control'),
  subgraph: traits('control'),
  wait: traits('control'),
  strange: traits('control'),
};

/** The words a graph that was never validated is refused with, or undefined. */
function refusal(graph: unknown, world = kinds): string | undefined {
  try {
    assertRunnable(planGraph(graph as Graph, world));
    const aside = planOnHalt(graph as Graph, world);
    if (aside !== undefined) assertRunnable(aside);
    return undefined;
  } catch (error) {
    return String(error);
  }
}
const ofNodes = (nodes: object, more: object = {}) => refusal({ holdfast: 1, id: 'g', nodes, ...more });
const step = { type: 'step' };
const body = { nodes: { a: step } };
const deep = (depth: number): object => ({ type: 'map', body: { nodes: { m: depth === 0 ? step : deep(depth - 1) } } });

describe('a graph forced past validation', () => {
  it('runs when nothing stands in the way', () => {
    const nodes = {
      a: step,
      m: { type: 'map', body },
      s: { type: 'subgraph', body },
      w: { type: 'wait' },
      g: { ...step, when: '1 > 0' },
    };
    expect(ofNodes(nodes, { on_halt: { nodes: { a: step } }, outputs: { x: 'a.value' } })).toBeUndefined();
    expect(ofNodes({ m: deep(4) })).toBeUndefined();
  });

  it.each([
    [7, 'RangeError: graph is not what a graph has there'],
    [{ nodes: [] }, 'RangeError: graph.nodes is not what a graph has there'],
    [{}, 'RangeError: graph.nodes is not what a graph has there'],
    [{ nodes: {}, outputs: { x: 7 } }, 'RangeError: graph.outputs is not what a graph has there'],
    [{ nodes: {}, on_halt: {} }, 'RangeError: on_halt.nodes is not what a graph has there'],
    [{ nodes: {}, on_halt: { nodes: { a: {} } } }, 'RangeError: on_halt.nodes.a.type is not what a graph has there'],
    [{ nodes: { a: null } }, 'RangeError: graph.nodes.a is not what a graph has there'],
    [{ nodes: { a: { ...step, after: [1] } } }, 'RangeError: graph.nodes.a.after is not what a graph has there'],
    [{ nodes: { a: { ...step, inputs: { x: 1 } } } }, 'RangeError: graph.nodes.a.inputs is not what a graph has there'],
    [
      { nodes: { m: { type: 'map', body: { nodes: 7 } } } },
      'RangeError: graph.nodes.m.body.nodes is not what a graph has there',
    ],
  ])('is refused for its shape: %j', (graph, words) => {
    expect(refusal(graph)).toBe(words);
  });

  it.each([
    ['a loop without a body', { m: { type: 'map' } }, 'node m of kind map needs a body'],
    ['an empty body', { m: { type: 'repeat', body: { nodes: {} } } }, 'the body of node m has no nodes'],
    ['a body where none belongs', { a: { ...step, body } }, 'node a of kind step takes no body'],
    ['bodies without end', { m: deep(6) }, 'bodies are nested deeper than 5'],
    [
      'a cycle in a body',
      { m: { type: 'map', body: { nodes: { a: { ...step, after: ['a'] } } } } },
      'node a waits for itself',
    ],
    [
      'a loop that waits for itself',
      { m: { type: 'map', body: { nodes: { a: { ...step, inputs: { x: 'm.count' } } } } } },
      'node m waits for itself',
    ],
    [
      'a join that is no number',
      { a: step, b: { ...step, after: ['a'], join: 'most' } },
      'node b of kind step cannot be run',
    ],
    ['an id no one can write', { 'a/b': step }, '"a/b" is no id of a node'],
    ['a kind of the prototype', { a: { type: 'constructor' } }, 'no traits for node kind constructor'],
    ['a control kind nobody knows', { a: { type: 'strange' } }, 'node a is of no control kind there is: strange'],
    [
      'a rate of nothing',
      { a: { type: 'call', rate_limit: { calls: 0, per: 1 } } },
      'node a of kind call cannot be run',
    ],
    ['a queue without a name', { a: { type: 'call', task_queue: '' } }, 'node a of kind call cannot be run'],
    ['a resource that is no name', { a: { type: 'call', circuit_breaker: 7 } }, 'node a of kind call cannot be run'],
  ])('is refused for %s', (_, nodes, words) => {
    expect(ofNodes(nodes)).toBe(`RangeError: ${words}`);
  });

  it('is refused for too many nodes, those of all bodies counted', () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`n${at}`, step]));
    expect(ofNodes({ ...many, m: { type: 'map', body: { nodes: many } } })).toMatch(/20003 nodes and guards are more/);
  });

  it.each([
    ['an effect there is not', traits('magic' as 'pure')],
    ['branches that are no list', traits('pure', { branches: 'x' as unknown as string[] })],
    [
      'a back-off that is no number',
      traits('pure', { retry: { max_attempts: 1, initial_ms: 1, backoff: Infinity, max_ms: 1 } }),
    ],
  ])('is refused when a kind has %s', (_, broken) => {
    expect(refusal({ nodes: { a: step } }, { step: broken })).toBe('RangeError: node a of kind step cannot be run');
  });
});

describe('a guard', () => {
  it('is required whatever the join counts, and fails as its node would', () => {
    const nodes = {
      a: step,
      b: step,
      c: { ...step, when: '1 > 0', after: ['a', 'b'], join: 'any', on_error: 'continue' },
    };
    const plan = planGraph({ holdfast: 1, id: 'g', nodes } as Graph, kinds);
    const c = plan.nodes[plan.index.get('c')!]!;
    expect([c.required, c.need, c.counted]).toEqual([1, 1, 2]);
    expect(plan.nodes[plan.index.get('c:when')!]!.failure_is_handled).toBe(true);
  });
});
