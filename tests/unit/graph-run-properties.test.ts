/**
 * A graph at work with loops in loops, for any graph, any order of outcomes and any cut: against an interpreter that knows no
 * frames, no order and no state but calls itself for every item.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Frame } from '../../src/graph/frame';
import type { Advance } from '../../src/graph/graph-run';
import type { Body, NodeSpec } from '../../src/graph/schema';
import type { Outcome, RunNode } from '../../src/graph/scheduler';
import { bodyOf, completed, GraphAtWork, type Followed, type Nodes } from '../support/plans';

interface Draft {
  readonly type: 'step' | 'map' | 'repeat';
  readonly reads: readonly number[];
  readonly needs: readonly { readonly from: number; readonly on: 'success' | 'error' | 'finished' }[];
  readonly on_error: 'fail' | 'continue';
  readonly on_item_error: 'fail' | 'continue';
  readonly size: number;
  readonly concurrency: number;
  readonly guarded: boolean;
  readonly body: readonly Draft[];
}

const draftAt = (depth: number): fc.Arbitrary<Draft> =>
  fc.record({
    type:
      depth === 0 ? fc.constant('step' as const) : fc.constantFrom('step' as const, 'map' as const, 'repeat' as const),
    reads: fc.array(fc.nat(), { maxLength: 2 }),
    needs: fc.array(
      fc.record({ from: fc.nat(), on: fc.constantFrom('success' as const, 'error' as const, 'finished' as const) }),
      { maxLength: 1 },
    ),
    on_error: fc.constantFrom('fail' as const, 'continue' as const),
    on_item_error: fc.constantFrom('fail' as const, 'continue' as const),
    size: fc.integer({ min: 0, max: 3 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    guarded: fc.boolean(),
    body: depth === 0 ? fc.constant([]) : fc.array(draftAt(depth - 1), { minLength: 1, maxLength: 2, size: 'max' }),
  });

interface Place {
  /** What may be referred to from around, by its output. */
  readonly around: readonly string[];
  readonly prefix: string;
  readonly tolerant: boolean;
}

/** References lead to earlier nodes, to nodes around, and to the item; ids say where a node stands, so none hides another. */
function nodesOf(drafts: readonly Draft[], { around, prefix, tolerant }: Place): Nodes {
  const ids = drafts.map((_, at) => `${prefix}${at}`);
  const given = drafts.map(
    ({ type }, at) => `${ids[at]}.${type === 'step' ? 'x' : type === 'map' ? 'results' : 'last'}`,
  );
  const specs = drafts.map((draft, at): readonly [string, Partial<NodeSpec>] => {
    const sources = [...around, ...given.slice(0, at)];
    const reads = sources.length === 0 ? [] : draft.reads.map((from) => sources[from % sources.length]!);
    const after = at === 0 ? [] : draft.needs.map(({ from, on }) => `${ids[from % at]}.${on}`);
    const inputs = Object.fromEntries(reads.map((text, input) => [`i${input}`, text]));
    const on_error = tolerant && prefix === 'n' ? ('continue' as const) : draft.on_error;
    const spec = { type: draft.type, after, on_error };
    const place = { around: sources, prefix: `${ids[at]}_`, tolerant };
    return [ids[at]!, draft.type === 'step' ? { ...spec, inputs } : loopOf(draft, spec, place)];
  });
  return Object.fromEntries(specs);
}

function loopOf(draft: Draft, spec: Partial<NodeSpec>, place: Place): Partial<NodeSpec> {
  const inside = {
    ...place,
    around: [...place.around, 'item.index', draft.type === 'map' ? 'item.value' : 'item.last'],
  };
  const nodes = nodesOf(draft.body, inside);
  const body = bodyOf(nodes, {
    y: `${place.prefix}0.${draft.body[0]!.type === 'step' ? 'x' : 'count'}`,
    at: 'item.index',
  });
  const on_item_error = place.tolerant ? 'continue' : draft.on_item_error;
  if (draft.type === 'map') {
    const items = Array.from({ length: draft.size }, (_, item) => item * 7);
    return { ...spec, params: { items, concurrency: draft.concurrency, on_item_error }, body };
  }
  const goesOn = draft.guarded ? { while: `${place.prefix}0.x < 5` } : {};
  return { ...spec, params: { max_iterations: draft.size }, ...goesOn, body };
}

const graphArbitrary = (tolerant: boolean) =>
  fc
    .array(draftAt(2), { minLength: 1, maxLength: 4, size: 'max' })
    .map((drafts) => nodesOf(drafts, { around: [], prefix: 'n', tolerant }));

/** How a step ends is said by its id and what it is given alone. */
function outcomeOf(id: string, fields: Readonly<Record<string, unknown>>, salt: number): Outcome {
  const text = `${salt} ${id} ${JSON.stringify(Object.entries(fields).sort())}`;
  let hash = 7;
  for (let at = 0; at < text.length; at += 1) hash = (hash * 31 + text.charCodeAt(at)) % 1_000_003;
  if (id.endsWith(':while')) return completed({}, hash % 3 > 0 ? 'true' : 'false');
  if (hash % 6 === 0) return { kind: 'failed', error: 'broken', error_type: 'InvalidInput' };
  return completed(hash % 11 === 0 ? {} : { x: hash % 10 });
}

// --- the interpreter ---

type Ended =
  | { readonly is: 'completed'; readonly outputs: Record<string, unknown>; readonly branch?: string }
  | { readonly is: 'failed' | 'skipped' };

interface Scope {
  readonly nodes: Map<string, Ended>;
  readonly around?: Scope;
  readonly item?: Readonly<Record<string, unknown>>;
}

function valueOf(scope: Scope, text: string): unknown {
  const [node = '', ...path] = text.split('.');
  if (node === 'item') return scope.item?.[path[0]!];
  const ended = scope.nodes.get(node);
  if (ended !== undefined) return ended.is === 'completed' ? ended.outputs[path[0]!] : undefined;
  return scope.around === undefined ? undefined : valueOf(scope.around, text);
}

/** All data a node waits for, in its own body. */
function dataOf(spec: Partial<NodeSpec>, own: Scope): string[] {
  const { inputs = {}, body, while: goesOn } = spec;
  const inside =
    body === undefined
      ? []
      : [...Object.values(body.nodes).flatMap((each) => textsOf(each)), ...Object.values(body.outputs ?? {})];
  const texts = [...Object.values(inputs), ...inside, ...(goesOn === undefined ? [] : [goesOn.split(' ')[0]!])];
  return texts.filter((text) => own.nodes.has(text.split('.')[0]!));
}

function textsOf({ inputs = {}, body, while: goesOn }: Partial<NodeSpec>): string[] {
  const inside =
    body === undefined ? [] : [...Object.values(body.nodes).flatMap(textsOf), ...Object.values(body.outputs ?? {})];
  return [...Object.values(inputs), ...inside, ...(goesOn === undefined ? [] : [goesOn.split(' ')[0]!])];
}

function fieldsOf({ inputs = {} }: Partial<NodeSpec>, scope: Scope): Record<string, unknown> {
  const fields = Object.entries(inputs).map(([name, text]) => [name, valueOf(scope, text)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** Undefined when it failed. */
function interpretBody(body: Body, scope: Scope, salt: number): Record<string, unknown> | undefined {
  const handled = new Set(
    Object.values(body.nodes).flatMap(({ after = [] }) =>
      after.filter((text) => !text.endsWith('.success')).map((text) => text.split('.')[0]!),
    ),
  );
  for (const [id, spec] of Object.entries(body.nodes)) {
    const ended = interpretNode(id, spec, { scope, salt });
    scope.nodes.set(id, ended);
    if (ended.is === 'failed' && spec.on_error !== 'continue' && !handled.has(id)) return undefined;
  }
  const outputs = Object.entries(body.outputs ?? {}).map(([name, text]) => [name, valueOf(scope, text)] as const);
  return Object.fromEntries(outputs.filter(([, value]) => value !== undefined));
}

interface At {
  readonly scope: Scope;
  readonly salt: number;
}

function interpretNode(id: string, spec: NodeSpec, { scope, salt }: At): Ended {
  const isTaken = (text: string) => {
    const [from = '', on] = text.split('.');
    const { is } = scope.nodes.get(from)!;
    return is === 'completed' ? on !== 'error' : is === 'failed' && on !== 'success';
  };
  const has = (text: string) => valueOf(scope, text.split('.').slice(0, 2).join('.')) !== undefined;
  if (!(spec.after ?? []).every(isTaken) || !dataOf(spec, scope).every(has)) return { is: 'skipped' };
  if (spec.type === 'map') return interpretMap(spec, { scope, salt });
  if (spec.type === 'repeat') return interpretRepeat(spec, { scope, salt });
  const outcome = outcomeOf(id, fieldsOf(spec, scope), salt);
  return outcome.kind === 'failed' ? { is: 'failed' } : { is: 'completed', outputs: { ...outcome.outputs } };
}

function interpretMap({ params = {}, body }: NodeSpec, { scope, salt }: At): Ended {
  const items = params['items'] as unknown[];
  const results = items.map(
    (value, index) => interpretBody(body!, { nodes: new Map(), around: scope, item: { value, index } }, salt) ?? null,
  );
  const failed = results.flatMap((result, index) => (result === null ? [index] : []));
  if (failed.length > 0 && params['on_item_error'] === 'fail') return { is: 'failed' };
  return { is: 'completed', outputs: { results, errors: failed, count: items.length } };
}

function interpretRepeat({ params = {}, body, while: goesOn }: NodeSpec, { scope, salt }: At): Ended {
  let last: Record<string, unknown> | undefined;
  let iterations = 0;
  let again = true;
  while (again && iterations < (params['max_iterations'] as number)) {
    const inside: Scope = { nodes: new Map(), around: scope, item: { index: iterations, last } };
    last = interpretBody(body!, inside, salt);
    if (last === undefined) return { is: 'failed' };
    iterations += 1;
    again = goesOn === undefined || asks(goesOn, inside, salt);
  }
  const outputs = {
    iterations,
    exhausted: goesOn !== undefined && iterations > 0 && again,
    ...(last === undefined ? {} : { last }),
  };
  return { is: 'completed', outputs };
}

/** Where the guard would have to be skipped, the loop ends. */
function asks(goesOn: string, inside: Scope, salt: number): boolean {
  const reference = goesOn.split(' ')[0]!;
  const value = valueOf(inside, reference);
  if (value === undefined) return false;
  const outcome = outcomeOf(':while', { condition: { formula: goesOn, values: { [reference]: value } } }, salt);
  return outcome.kind === 'completed' && outcome.branch === 'true';
}

// --- the graph at work ---

interface Move {
  readonly pick: number;
  readonly act: 'end' | 'start' | 'halt' | 'renew' | 'pass over' | 'renew waiting' | 'abandon';
}
const scriptOf = (...acts: Move['act'][]) =>
  fc.array(fc.record({ pick: fc.nat(), act: fc.constantFrom(...acts) }), { minLength: 10, maxLength: 40, size: 'max' });

/** Drives a graph to its end, and watches what must hold at every step. */
class Driver {
  readonly work: GraphAtWork;
  readonly told: Followed[] = [];
  readonly #ran = new Set<string>();
  readonly #salt: number;
  readonly #isCut: boolean;
  #out: string[] = [];

  constructor(nodes: Nodes, { salt, cut, limit = 1_000_000 }: { salt: number; cut: boolean; limit?: number }) {
    this.work = new GraphAtWork(nodes, { output_limit: limit });
    this.#salt = salt;
    this.#isCut = cut;
    this.told.push(this.work.first);
  }

  play(script: readonly Move[]): void {
    for (let turn = 0; !this.work.run.isDone; turn += 1) {
      if (turn > 3_000) throw new Error(`stalled: ${JSON.stringify(this.work.run.carry())}`);
      const { pick, act } = script[turn % script.length]!;
      this.#move(turn < 200 ? act : turn % 2 === 0 ? 'start' : 'end', pick);
      if (this.#isCut) this.work.cut();
      this.#check();
    }
  }

  get #ids(): { ready: string[]; out: string[] } {
    return { ready: this.work.ready, out: this.#out };
  }

  #move(act: Move['act'], pick: number): void {
    const { ready, out } = this.#ids;
    const among = {
      end: out,
      halt: out,
      start: ready,
      'renew waiting': ready,
      renew: this.#failed,
      'pass over': [...out, ...this.#failed],
      abandon: [''],
    }[act];
    const key = among[pick % among.length];
    if (key === undefined) return;
    switch (act) {
      case 'start':
        this.#start(key);
        return;
      case 'end':
        this.#end(key);
        return;
      case 'halt':
        this.#halt(key);
        return;
      case 'renew':
        this.#follow(this.work.run.renew(this.work.id(key)));
        return;
      case 'renew waiting':
        this.#follow(this.work.run.renewWaiting(this.work.id(key)));
        return;
      case 'pass over':
        this.#passOver(key);
        return;
      case 'abandon':
        if (pick % 5 === 0) this.#follow(this.work.run.abandon('cancelled'));
    }
  }

  get #failed(): string[] {
    const { run } = this.work;
    return run.frames.flatMap(({ base, run: { nodes } }) =>
      nodes.flatMap(({ state }, at) => (state === 'failed' ? [run.key(base + at)] : [])),
    );
  }

  #start(key: string): void {
    const { run } = this.work;
    const id = this.work.id(key);
    const name = `${key} ${run.generation(id)}`;
    const { type } = run.node(id);
    run.start(id);
    if (type !== 'step' && type !== 'if') this.#once(name);
    if (type === 'step' || type === 'if') this.#out.push(key);
    else this.#follow(run.openLoop(id));
  }

  /** S5. */
  #once(name: string): void {
    if (this.#ran.has(name)) throw new Error(`${name} ran twice`);
    this.#ran.add(name);
  }

  #end(key: string): void {
    const { run } = this.work;
    const id = this.work.id(key);
    this.#once(`${key} ${run.generation(id)}`);
    this.#out = this.#out.filter((each) => each !== key);
    this.#follow(run.settle(id, outcomeOf(run.node(id).id, run.fields(id), this.#salt)));
  }

  #halt(key: string): void {
    const id = this.work.id(key);
    this.#out = this.#out.filter((each) => each !== key);
    this.work.run.unstart(id);
    const { givenUp } = this.work.run.frame(id);
    if (givenUp !== undefined) this.#follow(this.work.run.giveUp(id, givenUp));
  }

  #passOver(key: string): void {
    const advance = this.work.run.dismiss(this.work.id(key), 'passed over');
    if (advance === undefined) return;
    this.#out = this.#out.filter((each) => each !== key);
    this.#follow(advance);
  }

  #follow(advance: Advance | undefined): void {
    if (advance === undefined) return;
    this.told.push(this.work.follow(advance));
  }

  #check(): void {
    const { run, weighed } = this.work;
    if (run.held !== weighed) throw new Error(`${run.held} held, not ${weighed}`);
    for (const [owner, { open, concurrency }] of this.work.loops) {
      const frames = run.frames.filter((frame) => frame.loop?.owner === owner && !frame.closed);
      if (frames.length !== open || open > concurrency) throw new Error(`${frames.length} open, not ${open}`);
    }
    for (const frame of run.frames) this.#checkFrame(frame);
  }

  #checkFrame({ base, givenUp, closed, run: { nodes, unsettled }, loop }: Frame): void {
    const open = nodes.filter(isOpen).length;
    if (open !== unsettled || closed !== (open === 0)) throw new Error(`frame ${base} has ${open} open nodes`);
    if (loop === undefined || closed || givenUp !== undefined) return;
    const around = this.work.run.frame(loop.owner);
    if (around.givenUp !== undefined && around.final === true) throw new Error(`frame ${base} goes on`);
  }
}

function isOpen({ state }: RunNode): boolean {
  return state === 'pending' || state === 'ready' || state === 'running';
}

const timeout = 60_000;
const salts = fc.nat(1_000);

/** As the interpreter says it. */
function endsOf(work: GraphAtWork): unknown {
  return work.run.frames[0]!.run.nodes.map((node) => {
    if (node.state !== 'completed') return { is: node.state };
    const { errors, ...outputs } = node.outputs as { errors?: { index: number }[] };
    const indexes = errors?.map(({ index }) => index);
    return { is: 'completed', outputs: { ...outputs, ...(indexes === undefined ? {} : { errors: indexes }) } };
  });
}

describe('a graph at work, with loops in loops', () => {
  it(
    'ends as an interpreter says, in any order of outcomes, whatever is halted and wherever it is cut',
    () => {
      fc.assert(
        fc.property(
          graphArbitrary(true),
          scriptOf('start', 'start', 'end', 'end', 'halt'),
          salts,
          fc.boolean(),
          (nodes, script, salt, cut) => {
            const driver = new Driver(nodes, { salt, cut });
            driver.play(script);
            const scope: Scope = { nodes: new Map() };
            interpretBody(bodyOf(nodes), scope, salt);
            expect(endsOf(driver.work)).toEqual([...scope.nodes.values()]);
          },
        ),
        { numRuns: 350 },
      );
    },
    timeout,
  );

  it(
    'ends every node once for each generation, whatever is retried, passed over, halted or given up (S2, S5)',
    () => {
      fc.assert(
        fc.property(
          graphArbitrary(false),
          scriptOf(
            'start',
            'start',
            'start',
            'end',
            'end',
            'end',
            'halt',
            'renew',
            'renew waiting',
            'pass over',
            'abandon',
          ),
          salts,
          (nodes, script, salt) => {
            const driver = new Driver(nodes, { salt, cut: false });
            driver.play(script);
            const open = driver.work.run.frames.flatMap(({ run }) => run.nodes.filter(isOpen));
            expect(open).toEqual([]);
            expect(driver.work.run.carry().loops).toEqual([]);
          },
        ),
        { numRuns: 3_000 },
      );
    },
    timeout,
  );

  it(
    'goes on as if it had not been cut, also where outputs are dropped (S6)',
    () => {
      fc.assert(
        fc.property(
          graphArbitrary(false),
          scriptOf('start', 'start', 'end', 'end', 'halt', 'renew', 'renew waiting', 'pass over'),
          salts,
          fc.constantFrom(60, 150, 400),
          (nodes, script, salt, limit) => {
            const [cut, straight] = [true, false].map((each) => {
              const driver = new Driver(nodes, { salt, cut: each, limit });
              driver.play(script);
              return { told: driver.told, end: driver.work.run.carry() };
            });
            expect(cut).toEqual(straight);
          },
        ),
        { numRuns: 150 },
      );
    },
    timeout,
  );
});
