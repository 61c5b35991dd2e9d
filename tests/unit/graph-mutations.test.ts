import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import { GraphRun, type Advance } from '../../src/graph/graph-run';
import { mistakeCatalogue } from '../../src/graph/mistake';
import { planGraph, planOnHalt, type Plan } from '../../src/graph/plan';
import { assertRunnable } from '../../src/graph/runnable';
import { isPlainNode } from '../../src/graph/plain-node';
import { nodeSchema, type Graph } from '../../src/graph/schema';
import { validateGraph } from '../../src/graph/validate';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const example = (file: string) => JSON.parse(readFileSync(join(__dirname, '../../examples', file), 'utf8')) as Json;

const price = {
  type: 'ticker',
  params: { venue: 'paper_binance', symbol: 'BTC/BUSD' },
  timeout: 5,
  on_error: 'continue',
};
const everything: Json = {
  holdfast: 1,
  id: 'everything',
  labels: { team: 'a' },
  inputs: { size: { type: 'decimal', default: '1' }, who: { type: 'text', required: false } },
  variables: { best: '0' },
  defaults: { retry: { max_attempts: 2, initial: '1s' }, task_queue: 'q' },
  triggers: { hourly: { type: 'schedule', every: '1h' } },
  nodes: {
    markets: { type: 'constant', params: { value: ['BTC/BUSD', 'ETH/BUSD'] } },
    price: {
      ...price,
      total_timeout: '2m',
      retry: { max_attempts: 3 },
      circuit_breaker: 'x',
      rate_limit: { calls: 1, per: 1 },
      max_age: '1m',
    },
    stored: { type: 'constant', params: { value: '17000' }, after: ['price.error'] },
    last: { type: 'first', join: 'any', inputs: { fresh: 'price.last', stored: 'stored.value' } },
    judge: { type: 'threshold', params: { min: '8' }, inputs: { value: 'last.value' } },
    which: { type: 'switch', params: { cases: { a: ['1', 2], b: true } }, inputs: { value: 'last.value' } },
    both: { type: 'and', inputs: { a: 'not_so.value' } },
    not_so: { type: 'not', params: { value: true } },
    each: {
      type: 'map',
      params: { concurrency: 2, on_item_error: 'continue' },
      inputs: { items: 'markets.value' },
      body: {
        nodes: {
          quote: { ...price, params: { venue: 'paper_binance' }, inputs: { symbol: 'item.value' } },
          again: {
            type: 'repeat',
            params: { max_iterations: 3 },
            while: 'sum.value < last.value && item.index < 2',
            body: {
              nodes: {
                sum: { type: 'math', params: { op: 'add', b: '1' }, inputs: { a: 'quote.last' } },
                pause: { type: 'wait', params: { for: 1 } },
              },
              outputs: { sum: 'sum.value', of: 'item.parent.value' },
            },
          },
          tell: {
            type: 'notify',
            when: 'quote.last > input.size',
            after: ['again.finished'],
            params: { message: '{{item.index}} {{again.last.sum}}' },
          },
        },
        outputs: { last: 'quote.last' },
      },
    },
    fees: {
      type: 'subgraph',
      inputs: { amount: 'last.value' },
      body: {
        nodes: { fee: { type: 'math', params: { op: 'multiply', b: '2' }, inputs: { a: 'input.amount' } } },
        outputs: { fee: 'fee.value' },
      },
    },
    set: { type: 'set', params: { name: 'best' }, inputs: { value: 'each.results' } },
    get: { type: 'get', after: ['set', 'fees'], params: { name: 'best' } },
    ask: {
      type: 'approval',
      after: ['judge.pass', 'which.default'],
      join: 'any',
      params: { deadline: '5m', approvers: ['a'] },
    },
    signal: { type: 'wait_for_signal', after: ['ask.approved'], params: { name: 'go' } },
    end: {
      type: 'notify',
      after: ['signal.finished', 'get', 'ask.rejected', 'both.true'],
      join: 2,
      params: { message: '{{fees.fee}}' },
    },
  },
  outputs: { last: 'last.value', results: 'each.results' },
  on_halt: { nodes: { tell: { type: 'notify', params: { message: 'halted {{input.who}}' } } } },
};
const originals = [everything, example('dash_momentum.json'), example('trading_arb_btc.json')];
const kinds = Object.fromEntries(kindCatalogue);

/** Mulberry32: the same graphs on every machine. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Spot {
  readonly owner: { [key: string]: Json };
  readonly key: string;
}

function spotsIn(value: Json): Spot[] {
  if (typeof value !== 'object' || value === null) return [];
  const owner = value as { [key: string]: Json };
  return Object.keys(owner).flatMap((key) => [{ owner, key }, ...spotsIn(owner[key]!)]);
}

const STRANGE: readonly Json[] = [
  null, true, 0, -1, 1e300, '', 'x', 'a.b', 'price', 'price.last', 'item.value', 'input.size', '{{price.last}}', '__proto__',
  'constructor', 'error', [], {}, [[]], ['price.last'], { nodes: {} }, { constructor: 1 }, 'each', 'map', 'repeat', 'any', 3,
]; // prettier-ignore

/** Removes, renames, retypes or moves one to three things. */
function mutated(original: Json, random: () => number): Json {
  const graph = structuredClone(original);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes -= 1) {
    const { owner, key } = pick(spotsIn(graph));
    const value = owner[key]!;
    const change = pick(['remove', 'rename', 'retype', 'move'] as const);
    if (change === 'retype') owner[key] = structuredClone(pick(STRANGE));
    else if (change === 'move') owner[key] = structuredClone(pick(spotsIn(graph).map((spot) => spot.owner[spot.key]!)));
    else if (Array.isArray(owner)) (owner as Json[]).splice(Number(key), 1);
    else {
      Reflect.deleteProperty(owner, key);
      if (change === 'rename') owner[pick([`${key}x`, key.slice(1), 'body', 'nodes', 'type', 'price'])] = value;
    }
  }
  return graph;
}

/** Whatever stands where a node may. */
function nodesIn(graph: Json): Json[] {
  const found = spotsIn(graph).filter(({ key }) => key === 'nodes');
  return found.flatMap(({ owner, key }) => spotsIn(owner[key]!).map((spot) => spot.owner[spot.key]!));
}

const MOST_STEPS = 5_000;

/** Runs a plan with made-up outcomes until everything has ended. Returns false when it never does. */
function runsToItsEnd(plan: Plan, random: () => number): boolean {
  const { run, first } = GraphRun.create(plan, { inputs: { size: '1' }, variables: {}, output_limit: 1_000_000 });
  const todo = [...first.ready];
  const take = ({ ready }: Advance) => todo.push(...ready);
  for (let steps = 0; todo.length > 0; steps += 1) {
    if (steps > MOST_STEPS) return true;
    const id = todo.shift()!;
    if (run.state(id).state !== 'ready') continue;
    run.start(id);
    run.fields(id);
    const { type, traits } = run.node(id);
    if (type === 'map' || type === 'repeat') take(run.openLoop(id));
    else if (random() < 0.1) take(run.settle(id, { kind: 'failed', error: 'no', error_type: 'Unexpected' }));
    else {
      const branch = traits.branches[Math.floor(random() * traits.branches.length)];
      const outputs = { value: '1', last: '2', payload: {} };
      take(run.settle(id, { kind: 'completed', outputs, ...(branch === undefined ? {} : { branch }) }));
    }
  }
  JSON.stringify([run.outputs, run.carry()]);
  return run.isDone;
}

/** What an execution does with a graph it is given, validated or not. */
function forced(graph: Graph, random: () => number): string | undefined {
  try {
    const plan = planGraph(graph, kinds);
    assertRunnable(plan);
    const aside = planOnHalt(graph, kinds);
    if (aside !== undefined) assertRunnable(aside);
    return runsToItsEnd(plan, random) ? undefined : 'never ends';
  } catch (error) {
    return String(error);
  }
}

describe('a graph that was changed at random', () => {
  it.each(originals.map((graph, at) => [at, graph] as const))('is without mistake before that: %i', (_, graph) => {
    expect(validateGraph(graph, kindCatalogue).mistakes).toEqual([]);
    expect(forced(graph as unknown as Graph, randomOf(1))).toBeUndefined();
  });

  it.each(Array.from({ length: 10 }, (_, at) => [at]))(
    'is refused in readable words or runs to its end, batch %i of 100',
    (batch) => {
      for (let seed = batch * 100; seed < batch * 100 + 100; seed += 1) {
        const random = randomOf(seed);
        const graph = mutated(originals[seed % 3]!, random);
        const { mistakes, graph: valid } = validateGraph(graph, kindCatalogue);
        for (const { code, path, message } of mistakes) {
          expect(Object.keys(mistakeCatalogue)).toContain(code);
          expect(path).toMatch(/^(\/.*)?$/s);
          expect(message).toMatch(/^[^a-z].*\.$/s);
          expect(message).not.toMatch(/undefined|\[object|Invalid input/);
        }
        for (const node of nodesIn(graph)) if (isPlainNode(node)) expect(nodeSchema.safeParse(node).success).toBe(true);
        const outcome = forced(graph as unknown as Graph, random);
        if (valid !== undefined) expect([seed, outcome]).toEqual([seed, undefined]);
        else if (outcome !== undefined) expect([seed, outcome]).toEqual([seed, expect.stringMatching(/^RangeError: /)]);
      }
    },
  );
});
