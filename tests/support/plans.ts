/** Plans for tests of the scheduler, made without the language, and a graph at work that is driven by the names of its nodes. */
import { expect } from '@jest/globals';
import type { CarriedGraph, Plans } from '../../src/graph/carry';
import { GraphRun, type Advance, type GraphRunOptions } from '../../src/graph/graph-run';
import type { Effect, KindTraits } from '../../src/graph/kinds';
import type { Loop } from '../../src/graph/loop';
import { weightOf } from '../../src/graph/output-ledger';
import { planGraph, type Plan } from '../../src/graph/plan';
import type { Body, Graph, NodeSpec } from '../../src/graph/schema';
import type { Outcome, RunNode } from '../../src/graph/scheduler';

export const traits = (effect: Effect = 'pure', rest: Partial<KindTraits> = {}): KindTraits => ({
  effect,
  branches: [],
  formulas: [],
  timeout_ms: 1_000,
  retry: { max_attempts: 1, initial_ms: 1_000, backoff: 2, max_ms: 60_000 },
  ...rest,
});

/** `step` gives what it likes, `choice` branches, `if` is the guard of `when` and `while`. */
export const testTraits: Readonly<Record<string, KindTraits>> = {
  step: traits(),
  fetch: traits('read'),
  choice: traits('pure', { branches: ['left', 'right'] }),
  if: traits('pure', { branches: ['true', 'false'], formulas: ['condition'] }),
  map: traits('control'),
  repeat: traits('control'),
  subgraph: traits('control'),
  order: traits('trade'),
  cancel: traits('cancel'),
  tell: traits('notify'),
  ask: traits('control', { branches: ['approved', 'rejected'] }),
  set: traits('control'),
  get: traits('control'),
};

export type Nodes = Readonly<Record<string, Partial<NodeSpec>>>;

/** A node is a `step` unless it says otherwise. */
export function bodyOf(nodes: Nodes, outputs: Readonly<Record<string, string>> = {}): Body {
  const specs = Object.entries(nodes).map(([id, spec]) => [id, { type: 'step', ...spec }] as const);
  return { nodes: Object.fromEntries(specs), outputs };
}

export function graphOf(nodes: Nodes, rest: Partial<Graph> = {}): Graph {
  return { holdfast: 1, id: 'test', ...rest, nodes: bodyOf(nodes).nodes };
}

export function planOf(nodes: Nodes, rest: Partial<Graph> = {}): Plan {
  return planGraph(graphOf(nodes, rest), testTraits);
}

export const completed = (outputs: Readonly<Record<string, unknown>> = {}, branch?: string): Outcome => ({
  kind: 'completed',
  outputs,
  ...(branch === undefined ? {} : { branch }),
});
export const failed: Outcome = { kind: 'failed', error: 'broken', error_type: 'ConnectionError' };

export interface WorkOptions extends Partial<GraphRunOptions> {
  readonly outputs?: Readonly<Record<string, string>>;
  readonly on_halt?: Nodes;
}

/** What follows, by the keys of the instances and the paths of the frames. */
export type Followed = Readonly<Record<keyof Advance, readonly string[]>>;

export class GraphAtWork {
  readonly plans: Plans;
  readonly first: Followed;
  run: GraphRun;
  readonly #options: GraphRunOptions;

  constructor(nodes: Nodes, { outputs = {}, on_halt, ...options }: WorkOptions = {}) {
    const top = planOf(nodes, { outputs });
    this.plans = on_halt === undefined ? { top } : { top, on_halt: planOf(on_halt) };
    this.#options = { inputs: {}, variables: {}, output_limit: 1_000_000, ...options };
    const { run, first } = GraphRun.create(top, this.#options);
    this.run = run;
    this.first = this.follow(first);
  }

  id(key: string): number {
    const id = this.run.find(key);
    if (id === undefined) throw new Error(`no node ${key}`);
    return id;
  }

  state(key: string): RunNode {
    return this.run.state(this.id(key));
  }

  /** What `state` is, in one word. */
  states(...keys: readonly string[]): string[] {
    return keys.map((key) => this.state(key).state);
  }

  fields(key: string): Record<string, unknown> {
    return this.run.fields(this.id(key));
  }

  get ready(): string[] {
    return this.run.readyIds.map((id) => this.run.key(id));
  }

  start(...keys: readonly string[]): void {
    for (const key of keys) this.run.start(this.id(key));
  }

  open(key: string): Followed {
    this.start(key);
    return this.follow(this.run.openLoop(this.id(key)));
  }

  end(key: string, outcome: Outcome = completed(), at?: number): Followed {
    if (this.state(key).state === 'ready') this.start(key);
    return this.follow(this.run.settle(this.id(key), outcome, at));
  }

  /** A resume at this instant. `begun`: what is at work outside. */
  readAgain(at: number, { begun = [], only }: { begun?: readonly string[]; only?: string } = {}): Followed {
    const judged = only === undefined ? {} : { only: this.id(only) };
    const hasBegun = (id: number) => {
      const { state } = this.run.state(id);
      if (state !== 'ready' && state !== 'running') throw new Error(`${this.run.key(id)} is ${state}`);
      return begun.includes(this.run.key(id));
    };
    return this.follow(this.run.readAgain({ at, hasBegun, ...judged }));
  }

  /** What it must not start with. */
  old(key: string, at?: number): string | undefined {
    return this.run.oldInput(this.id(key), at);
  }

  follow(advance: Advance): Followed {
    const keys = (ids: readonly number[]) => ids.map((id) => this.run.key(id));
    const { ready, skipped, ended, renewed, givenUp, closed } = advance;
    const nodes = {
      ready: keys(ready),
      skipped: keys(skipped),
      ended: keys(ended.map(({ id }) => id)),
      renewed: keys(renewed),
    };
    return { ...nodes, givenUp: givenUp.map(({ path }) => path), closed: closed.map(({ path }) => path) };
  }

  /** Takes it all through JSON, as a new run of the execution would, and asserts that nothing is lost on the way. */
  cut(): void {
    const carried = JSON.parse(JSON.stringify(this.run.carry())) as CarriedGraph;
    const restored = GraphRun.restore(this.plans, carried, this.#options);
    expect(JSON.parse(JSON.stringify(restored.carry()))).toEqual(carried);
    expect(restored.held).toBe(this.run.held);
    this.run = restored;
  }

  /** The loops at work. */
  get loops(): (readonly [owner: number, loop: Loop])[] {
    const owners = new Set(this.run.frames.flatMap(({ loop }) => (loop === undefined ? [] : [loop.owner])));
    return [...owners].flatMap((owner) => {
      const loop = this.run.loop(owner);
      return loop === undefined ? [] : [[owner, loop] as const];
    });
  }

  /** What is held, counted from nothing; of the variables, those that were there at the start. */
  get weighed(): number {
    const nodes = this.run.frames.flatMap(({ run }) => run.nodes);
    const outputs = nodes.map((node) => (node.state === 'completed' && node.outputs ? weightOf(node.outputs) : 0));
    const gathered = this.loops.map(([, { held }]) => held);
    const variables = Object.keys(this.#options.variables).map((name) => weightOf(this.run.variable(name)));
    return sum([...outputs, ...gathered, ...variables]);
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
