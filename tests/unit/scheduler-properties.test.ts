/**
 * The scheduler's promises S1 to S6 for any graph, against a model that knows no increments: a fixpoint over the whole graph, which
 * reads joins from the graph as it is written and not from the plan. More than 10,000 graphs at each run.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CarriedGraph } from '../../src/graph/carry';
import { GraphRun, type Advance } from '../../src/graph/graph-run';
import { OutputLedger } from '../../src/graph/output-ledger';
import { planGraph, type Plan } from '../../src/graph/plan';
import * as renewals from '../../src/graph/renewal';
import type { NodeSpec } from '../../src/graph/schema';
import * as scheduler from '../../src/graph/scheduler';
import { graphOf, testTraits } from '../support/plans';

const CONTROLS = ['success', 'success', 'error', 'finished', 'left', 'right'] as const;
const OUTPUTS = ['x', 'y'] as const;

interface World {
  readonly plan: Plan;
  readonly specs: ReadonlyMap<string, Partial<NodeSpec>>;
}

interface Draft {
  readonly type: string;
  readonly references: readonly { readonly from: number; readonly on: string; readonly data: boolean }[];
  readonly join: NonNullable<NodeSpec['join']>;
  readonly on_error: 'fail' | 'continue';
  readonly guarded: boolean;
}

const reference = fc.oneof(
  fc.record({ from: fc.nat(), on: fc.constantFrom(...CONTROLS), data: fc.constant(false) }),
  fc.record({ from: fc.nat(), on: fc.constantFrom(...OUTPUTS), data: fc.constant(true) }),
);

const draftArbitrary: fc.Arbitrary<Draft> = fc.record({
  type: fc.constantFrom('step', 'choice'),
  references: fc.array(reference, { maxLength: 4 }),
  join: fc.oneof(fc.constantFrom('all' as const, 'any' as const), fc.integer({ min: 1, max: 5 })),
  on_error: fc.constantFrom('fail' as const, 'continue' as const, 'continue' as const),
  guarded: fc.constantFrom(false, false, false, true),
});

/** Every node refers to earlier ones only, so there is no cycle. */
function specOf({ type, references, join, on_error, guarded }: Draft, at: number): Partial<NodeSpec> {
  const written = at === 0 ? [] : references.map((each) => ({ ...each, from: `n${each.from % at}` }));
  const data = written
    .filter((each) => each.data)
    .map(({ from, on }, input) => [`i${input}`, `${from}.${on}`] as const);
  return {
    ...{ type, join, on_error },
    after: written.filter((each) => !each.data).map(({ from, on }) => `${from}.${on}`),
    inputs: Object.fromEntries(data),
    ...(guarded ? { when: at === 0 ? 'true' : `n${at - 1}.x > 1` } : {}),
  };
}

function worldOf(drafts: readonly Draft[]): World {
  const nodes = Object.fromEntries(drafts.map((draft, at) => [`n${at}`, specOf(draft, at)]));
  return { plan: planGraph(graphOf(nodes), testTraits), specs: new Map(Object.entries(nodes)) };
}

const small = fc.array(draftArbitrary, { minLength: 1, maxLength: 12, size: 'max' }).map(worldOf);
const large = fc.array(draftArbitrary, { minLength: 60, maxLength: 200, size: 'max' }).map(worldOf);
/** Where every join is `all` and every failure is handled. */
const orderly = fc
  .array(draftArbitrary, { minLength: 1, maxLength: 25, size: 'max' })
  .map((drafts) => worldOf(drafts.map((draft) => ({ ...draft, join: 'all', on_error: 'continue' }))));

const outcomeArbitrary: fc.Arbitrary<scheduler.Outcome> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('completed' as const),
      outputs: fc.subarray([...OUTPUTS]).map((names) => Object.fromEntries(names.map((name) => [name, 1]))),
      branch: fc.constantFrom('left', 'right', 'true', 'false'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'failed' as const, error: 'broken', error_type: 'InvalidInput' }) },
);

/** What happens next: which of the nodes that are out is meant, how it ends, and what else is done to it. */
interface Move {
  readonly pick: number;
  readonly outcome: scheduler.Outcome;
  readonly act: 'settle' | 'take back' | 'renew' | 'dismiss';
}

const moveArbitrary = (acts: readonly Move['act'][]): fc.Arbitrary<Move> =>
  fc.record({ pick: fc.nat(), outcome: outcomeArbitrary, act: fc.constantFrom(...acts) });
const scriptOf = (...acts: Move['act'][]) =>
  fc.array(moveArbitrary(acts), { minLength: 25, maxLength: 40, size: 'max' });
const plainScript = scriptOf('settle', 'settle', 'settle', 'take back');

type Verdict = 'open' | 'startable' | 'completed' | 'failed' | 'skipped';
type Outcomes = ReadonlyMap<number, scheduler.Outcome>;

/** From what is known of each node alone, recomputed from nothing until nothing changes. `known`: without an outcome. */
function model({ plan, specs }: World, outcomes: Outcomes, known: ReadonlyMap<number, Verdict> = new Map()): Verdict[] {
  const verdicts = plan.nodes.map<Verdict>((_, at) => outcomes.get(at)?.kind ?? known.get(at) ?? 'open');
  for (let changed = true; changed;) {
    changed = false;
    plan.nodes.forEach(({ id, incoming }, at) => {
      if (verdicts[at] !== 'open') return;
      const next = joined(
        specs.get(id),
        incoming.map((edge) => edgeVerdict(plan, edge, verdicts, outcomes)),
      );
      changed ||= next !== 'open';
      verdicts[at] = next;
    });
  }
  return verdicts;
}

interface EdgeVerdict {
  readonly data: boolean;
  readonly ofGuard: boolean;
  readonly is: 'taken' | 'lost' | 'unsettled';
}

/** The guard of `when` is required always, and where `after` names something the data beside it. */
function joined({ join = 'all', after = [] }: Partial<NodeSpec> = {}, edges: readonly EdgeVerdict[]): Verdict {
  const isCounted = ({ data, ofGuard }: EdgeVerdict) => join !== 'all' && !ofGuard && data === (after.length === 0);
  const counted = edges.filter(isCounted).map((each) => each.is);
  const required = edges.filter((each) => !isCounted(each)).map((each) => each.is);
  const need = join === 'all' ? 0 : Math.min(join === 'any' ? 1 : join, counted.length);
  const numberOf = (is: string) => counted.filter((each) => each === is).length;
  if (required.includes('lost') || counted.length - numberOf('lost') < need) return 'skipped';
  return required.every((each) => each === 'taken') && numberOf('taken') >= need ? 'startable' : 'open';
}

function edgeVerdict(plan: Plan, edge: number, verdicts: readonly Verdict[], outcomes: Outcomes): EdgeVerdict {
  const { from, carries, on } = plan.edges[edge]!;
  const kind = { data: carries === 'data', ofGuard: plan.nodes[from]!.id.endsWith(':when') };
  const outcome = outcomes.get(from);
  if (outcome === undefined) return { ...kind, is: verdicts[from] === 'skipped' ? 'lost' : 'unsettled' };
  return { ...kind, is: waysOf(outcome).includes(`${carries} ${on}`) ? 'taken' : 'lost' };
}

function waysOf(outcome: scheduler.Outcome): string[] {
  if (outcome.kind === 'failed') return ['control error', 'control finished'];
  const given = Object.keys(outcome.outputs).map((name) => `data ${name}`);
  return ['control success', 'control finished', `control ${outcome.branch ?? ''}`, ...given];
}

/** What a state says that the model says too. */
function seen({ nodes }: scheduler.RunState): string {
  const words = { pending: 'open', ready: 'startable', running: 'startable' } as Record<string, string>;
  return nodes.map(({ state }) => words[state] ?? state).join(' ');
}

/** A run that counts: how often each node was ready in each generation, and how often an edge was looked at. */
class Work {
  readonly run: scheduler.Run;
  readonly out: number[] = [];
  readonly outcomes = new Map<number, scheduler.Outcome>();
  readonly dismissed = new Set<number>();
  readonly decided: number[];
  looks = 0;

  constructor({ plan }: World, limit = 1_000_000) {
    const edges = new Proxy(plan.edges, {
      get: (target, key, receiver) => {
        if (typeof key === 'string' && /^\d/.test(key)) this.looks += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    const { state, decision } = scheduler.createRun(plan);
    this.run = { plan: { ...plan, edges }, state, ledger: new OutputLedger(limit) };
    this.decided = plan.nodes.map(() => 0);
    this.follow(decision);
  }

  get state(): scheduler.RunState {
    return this.run.state;
  }

  follow({ ready, skipped }: scheduler.Decision): void {
    for (const at of ready) {
      scheduler.start(this.state, at);
      this.out.push(at);
    }
    for (const at of [...ready, ...skipped]) this.decided[at]! += 1;
  }

  settle(at: number, outcome: scheduler.Outcome): void {
    this.out.splice(this.out.indexOf(at), 1);
    this.outcomes.set(at, outcome);
    this.follow(scheduler.settle(this.run, at, outcome));
  }

  /** A halt: handed out again, or given up with the rest. */
  takeBack(at: number): void {
    scheduler.unstart(this.state, at);
    if (this.state.failure === undefined) {
      scheduler.start(this.state, at);
      return;
    }
    this.out.splice(this.out.indexOf(at), 1);
    expect(scheduler.giveUp(this.run, at, 'given up')).toEqual({ ready: [], skipped: [at] });
  }

  renew(at: number): void {
    const renewal = renewals.renew(this.run, at);
    if (renewal === undefined) throw new Error('nothing was dropped');
    this.outcomes.delete(at);
    this.begin(renewal);
  }

  dismiss(at: number): void {
    const running = this.state.nodes[at]?.state === 'running';
    if (running) this.out.splice(this.out.indexOf(at), 1);
    const renewal = renewals.dismiss(this.run, at, 'passed over');
    if (renewal === undefined) throw new Error('nothing was dropped');
    this.dismissed.add(at);
    this.begin(renewal);
    this.decided[at]! -= 1;
  }

  begin({ ready, skipped, renewed }: renewals.Renewal): void {
    for (const at of renewed) this.decided[at] = 0;
    this.follow({ ready, skipped });
  }
}

/** Plays a script until nothing is out. */
function play(work: Work, script: readonly Move[], between: () => void = () => undefined): void {
  for (let turn = 0; work.out.length > 0; turn += 1) {
    const { pick, outcome, act } = script[turn % script.length]!;
    const at = work.out[pick % work.out.length]!;
    if (act === 'take back' && turn < 500) work.takeBack(at);
    else work.settle(at, outcome);
    between();
  }
}

const ENDED = ['completed', 'failed', 'skipped'];

function assertEnded({ state, decided }: Work): void {
  expect(scheduler.isDone(state)).toBe(true);
  expect(state.nodes.filter((node) => !ENDED.includes(node.state))).toEqual([]);
  expect(decided.filter((times) => times !== 1)).toEqual([]);
}

/** Readers, what is held and the list of what may be dropped, counted from nothing. */
function assertLedger({ run: { plan, state, ledger } }: Work): void {
  let held = 0;
  const unread = new Set(ledger.unread);
  state.nodes.forEach((node, at) => {
    if (node.state !== 'completed') return;
    held += node.outputs === undefined ? 0 : node.size;
    const readers = plan.nodes[at]!.outgoing.map((edge) => plan.edges[edge]!).filter(
      ({ carries, to }) => carries === 'data' && !ENDED.includes(state.nodes[to]!.state),
    );
    if (readers.length !== node.readers)
      throw new Error(`node ${at} has ${readers.length} readers, not ${node.readers}`);
    if (readers.length > 0 && node.outputs === undefined) throw new Error(`node ${at} is read and was dropped`);
    if (unread.has(node) !== (readers.length === 0 && node.outputs !== undefined))
      throw new Error(`node ${at}: unread`);
  });
  expect(ledger.held).toBe(held);
}

const timeout = 60_000;

describe('the scheduler, for any graph and any order of outcomes', () => {
  const agrees = (world: World, script: readonly Move[]) => {
    const work = new Work(world);
    let failure: string | undefined;
    const check = () => {
      failure ??= work.state.failure?.node_id;
      if (failure === undefined) expect(seen(work.state)).toBe(model(world, work.outcomes).join(' '));
      else expect(work.out.length).toBe(work.state.unsettled);
      assertLedger(work);
    };
    check();
    play(work, script, check);
    assertEnded(work);
    expect(work.state.failure?.node_id).toBe(failure);
  };
  it(
    'agrees after every outcome with a model of the whole graph, and ends every node exactly once (S1, S2)',
    () => {
      fc.assert(fc.property(small, plainScript, agrees), { numRuns: 4_000 });
    },
    timeout,
  );

  it(
    'does so for graphs of up to 200 nodes',
    () => {
      fc.assert(fc.property(large, plainScript, agrees), { numRuns: 60 });
    },
    timeout,
  );

  it(
    'names the first failure that nobody handles, and starts nothing after it (S2)',
    () => {
      fc.assert(
        fc.property(small, plainScript, (world, script) => {
          const work = new Work(world);
          let started = work.out.length;
          play(work, script, () => {
            const { failure } = work.state;
            if (failure === undefined) started = work.out.length;
            else expect(work.out.length).toBeLessThanOrEqual(started);
          });
          const unhandled = [...work.outcomes].find(
            ([at, { kind }]) => kind === 'failed' && !world.plan.nodes[at]!.failure_is_handled,
          );
          expect(work.state.failure?.node_id).toBe(unhandled && world.plan.nodes[unhandled[0]]!.id);
        }),
        { numRuns: 1_000 },
      );
    },
    timeout,
  );

  it(
    'ends the same in any order of outcomes, where joins are `all` and failures are handled (S3)',
    () => {
      fc.assert(
        fc.property(
          orderly,
          fc.array(outcomeArbitrary, { minLength: 50, maxLength: 50, size: 'max' }),
          fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
          (world, outcomes, picks) => {
            const endsFor = (order: readonly number[]) => {
              const work = new Work(world);
              for (let turn = 0; work.out.length > 0; turn += 1) {
                const at = work.out[order[turn % order.length]! % work.out.length]!;
                work.settle(at, outcomes[at]!);
              }
              return seen(work.state);
            };
            expect(endsFor(picks)).toBe(endsFor([0]));
          },
        ),
        { numRuns: 2_500 },
      );
    },
    timeout,
  );

  it(
    'looks at every edge a few times in all (S4)',
    () => {
      fc.assert(
        fc.property(
          fc.oneof({ weight: 20, arbitrary: small }, { weight: 1, arbitrary: large }),
          plainScript,
          (world, script) => {
            const work = new Work(world);
            play(work, script);
            expect(work.looks).toBeLessThanOrEqual(4 * world.plan.edges.length);
          },
        ),
        { numRuns: 600 },
      );
    },
    timeout,
  );
});

describe('a new generation, in any graph at any time', () => {
  const steered = (world: World, script: readonly Move[]) => {
    const work = new Work(world);
    const { plan } = world;
    const started = new Set<number>();
    const check = () => {
      for (const [at, { state }] of work.state.nodes.entries()) if (state === 'running') started.add(at);
      assertLedger(work);
      if (work.state.failure !== undefined) return;
      const known = new Map<number, Verdict>();
      for (const at of work.dismissed) known.set(at, 'skipped');
      for (const at of work.out) known.set(at, 'startable');
      const expected = model(world, work.outcomes, known);
      work.state.nodes.forEach(({ state }, at) => {
        const verdict = expected[at]!;
        if (state === 'pending' && verdict !== 'open') throw new Error(`node ${at} waits, and should be ${verdict}`);
        const isFree = !started.has(at) && !work.dismissed.has(at);
        if (isFree && state === 'skipped' && verdict !== 'skipped') throw new Error(`node ${at} was lost: ${verdict}`);
      });
    };
    const steer = ({ act, pick }: Move) => {
      const failed = plan.nodes.flatMap((_, at) => (work.state.nodes[at]!.state === 'failed' ? [at] : []));
      const failure = work.state.failure && plan.index.get(work.state.failure.node_id);
      const among = act === 'dismiss' && pick % 2 === 0 ? work.out : failed;
      const at = failure !== undefined && pick % 3 > 0 ? failure : among[pick % among.length];
      if (at === undefined) return;
      if (act === 'renew' && failed.includes(at)) work.renew(at);
      if (act === 'dismiss') work.dismiss(at);
    };
    check();
    for (const move of script) {
      if (scheduler.isDone(work.state)) break;
      if (move.act !== 'settle') steer(move);
      else if (work.out.length > 0) work.settle(work.out[move.pick % work.out.length]!, move.outcome);
      check();
    }
    play(work, [{ pick: 0, outcome: { kind: 'completed', outputs: {} }, act: 'settle' }], check);
    assertEnded(work);
    const left = work.state.nodes.findIndex(
      ({ state }, at) => state === 'failed' && !plan.nodes[at]!.failure_is_handled,
    );
    expect(work.state.failure === undefined).toBe(left === -1);
  };

  it(
    'counts every edge once, forgets no failure, loses no node and decides once for each (S2, S5)',
    () => {
      const script = scriptOf('settle', 'settle', 'settle', 'renew', 'dismiss');
      fc.assert(fc.property(small, script, steered), { numRuns: 2_000 });
    },
    timeout,
  );
});

describe('a run that is cut at every point and rebuilt from its JSON (S6)', () => {
  /** Everything that is decided, and what is left at the end. `limit` is so small that outputs are dropped. */
  function played({ plan }: World, script: readonly Move[], cut: boolean): unknown[] {
    const options = { inputs: {}, variables: {}, output_limit: 60 };
    const { run: created, first } = GraphRun.create(plan, options);
    let run = created;
    const told: unknown[] = [first.ready];
    const out = [...first.ready];
    const note = ({ ready, skipped, renewed }: Advance) => {
      told.push([ready, skipped, renewed]);
      out.push(...ready);
    };
    for (let turn = 0; out.length > 0; turn += 1) {
      const { pick, outcome, act } = script[turn % script.length]!;
      const at = out.splice(pick % out.length, 1)[0]!;
      if (run.state(at).state !== 'ready') continue;
      run.start(at);
      note(run.settle(at, outcome));
      if (cut) run = GraphRun.restore({ top: plan }, JSON.parse(JSON.stringify(run.carry())) as CarriedGraph, options);
      if (act === 'renew' && turn < script.length && run.state(at).state === 'failed' && !run.isDone) {
        const renewed = run.renew(at);
        if (renewed !== undefined) note(renewed);
      }
    }
    return [...told, run.carry(), run.held, run.isDone];
  }

  it(
    'decides and drops the same as one that was not',
    () => {
      fc.assert(
        fc.property(small, scriptOf('settle', 'settle', 'renew'), (world, script) => {
          expect(played(world, script, true)).toEqual(played(world, script, false));
        }),
        { numRuns: 1_200 },
      );
      fc.assert(
        fc.property(large, scriptOf('settle', 'settle', 'renew'), (world, script) => {
          expect(played(world, script, true)).toEqual(played(world, script, false));
        }),
        { numRuns: 10 },
      );
    },
    timeout,
  );
});
