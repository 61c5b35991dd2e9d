/** The scheduler's promises S1, S2, S3 and S6 for any graph, against a model that knows no increments: a fixpoint over the whole graph. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Plan, planGraph } from '../../src/graph/plan';
import type { NodeSpec } from '../../src/graph/schema';
import * as scheduler from '../../src/graph/scheduler';
import { graphOf, testTraits } from '../support/plans';

const CONTROLS = ['success', 'error', 'finished', 'left', 'right'] as const;
const OUTPUTS = ['x', 'y'] as const;

type Reference = { from: number; on: string; data: boolean };
const reference = (below: number): fc.Arbitrary<Reference> =>
  fc.oneof(
    fc.record({ from: fc.nat(below - 1), on: fc.constantFrom(...CONTROLS), data: fc.constant(false) }),
    fc.record({ from: fc.nat(below - 1), on: fc.constantFrom(...OUTPUTS), data: fc.constant(true) }),
  );

/** Every node refers to earlier ones only, so it has no cycle. */
const nodeAt = (at: number): fc.Arbitrary<Partial<NodeSpec>> =>
  fc
    .record({
      type: fc.constantFrom('step', 'choice'),
      references: at === 0 ? fc.constant<Reference[]>([]) : fc.array(reference(at), { maxLength: 4 }),
      join: fc.oneof(fc.constantFrom('all' as const, 'any' as const), fc.integer({ min: 1, max: 5 })),
      on_error: fc.constantFrom('fail' as const, 'fail' as const, 'continue' as const),
      guarded: fc.boolean(),
    })
    .map(({ type, references, join, on_error, guarded }) => ({
      type,
      on_error,
      after: references.filter(({ data }) => !data).map(({ from, on }) => `n${from}.${on}`),
      inputs: Object.fromEntries(
        references.filter(({ data }) => data).map(({ from, on }, input) => [`i${input}`, `n${from}.${on}`]),
      ),
      ...(guarded ? { when: at === 0 ? 'true' : `n${at - 1}.x > 1` } : { join }),
    }));

const planArbitrary: fc.Arbitrary<Plan> = fc
  .integer({ min: 1, max: 12 })
  .chain((size) => fc.tuple(...Array.from({ length: size }, (_, at) => nodeAt(at))))
  .map((nodes) => planGraph(graphOf(Object.fromEntries(nodes.map((node, at) => [`n${at}`, node]))), testTraits));

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

/** What happens in a run: which of the nodes that are out ends next, how, and whether a halt takes one back first. */
const scriptArbitrary = fc.array(
  fc.record({ pick: fc.nat(), outcome: outcomeArbitrary, takeBack: fc.constantFrom(false, false, false, true) }),
  { minLength: 40, maxLength: 40 },
);
type Script = readonly { pick: number; outcome: scheduler.Outcome; takeBack: boolean }[];

interface Step {
  readonly settled: number;
  readonly outcome: scheduler.Outcome;
  readonly decision: scheduler.Decision;
}

interface Run {
  state: scheduler.RunState;
  readonly first: scheduler.Decision;
  readonly steps: Step[];
}

/** Plays a script: everything ready is out at once, and ends in the order the script picks. `between` may swap the state. */
function play(
  plan: Plan,
  script: Script,
  between: (state: scheduler.RunState) => scheduler.RunState = (same) => same,
): Run {
  const { state, decision } = scheduler.createRun(plan);
  const run: Run = { state, first: decision, steps: [] };
  const out = [...decision.ready];
  for (const index of out) scheduler.start(run.state, index);
  for (const { pick, outcome, takeBack } of script) {
    if (out.length === 0) break;
    const settled = out.splice(pick % out.length, 1)[0]!;
    run.state = between(run.state);
    if (takeBack) {
      scheduler.unstart(run.state, settled);
      if (run.state.failure !== undefined) {
        const abandoned = scheduler.abandonRest(plan, run.state, 'taken back');
        expect(abandoned.skipped).toEqual([settled]);
        continue;
      }
      scheduler.start(run.state, settled);
    }
    const after = scheduler.settle(plan, run.state, settled, outcome);
    run.steps.push({ settled, outcome, decision: after });
    for (const index of after.ready) {
      scheduler.start(run.state, index);
      out.push(index);
    }
  }
  return run;
}

type Verdict = 'open' | 'startable' | 'completed' | 'failed' | 'skipped';

/** The model: from the outcomes so far alone, recomputed from nothing until nothing changes. */
function model(plan: Plan, outcomes: ReadonlyMap<number, scheduler.Outcome>): Verdict[] {
  const verdicts = plan.nodes.map<Verdict>((_, index) => outcomes.get(index)?.kind ?? 'open');
  for (let changed = true; changed;) {
    changed = false;
    plan.nodes.forEach(({ incoming, need }, index) => {
      if (verdicts[index] !== 'open') return;
      const edges = incoming.map((edge) => edgeVerdict(plan, edge, verdicts, outcomes));
      const taken = edges.filter((each) => each === 'taken').length;
      const lost = edges.filter((each) => each === 'lost').length;
      const next = taken >= need ? 'startable' : edges.length - lost < need ? 'skipped' : 'open';
      changed ||= next !== 'open';
      verdicts[index] = next;
    });
  }
  return verdicts;
}

function edgeVerdict(
  plan: Plan,
  edge: number,
  verdicts: readonly Verdict[],
  outcomes: ReadonlyMap<number, scheduler.Outcome>,
): 'taken' | 'lost' | 'unsettled' {
  const { from, carries, on } = plan.edges[edge]!;
  const outcome = outcomes.get(from);
  if (outcome === undefined) return verdicts[from] === 'skipped' ? 'lost' : 'unsettled';
  const ways =
    outcome.kind === 'failed'
      ? ['control error', 'control finished']
      : [
          'control success',
          'control finished',
          `control ${outcome.branch ?? ''}`,
          ...Object.keys(outcome.outputs).map((name) => `data ${name}`),
        ];
  return ways.includes(`${carries} ${on}`) ? 'taken' : 'lost';
}

const unhandledFailure = (plan: Plan, steps: readonly Step[]): number =>
  steps.findIndex(({ settled, outcome }) => outcome.kind === 'failed' && !plan.nodes[settled]!.failure_is_handled);

const runs = { numRuns: 400 };

describe('the scheduler, for any graph and any order of outcomes', () => {
  it('agrees after every outcome with a model that looks at the whole graph (S1, S2)', () => {
    fc.assert(
      fc.property(planArbitrary, scriptArbitrary, (plan, script) => {
        const { first, steps } = play(plan, script);
        const end = unhandledFailure(plan, steps);
        const judged = end === -1 ? steps : steps.slice(0, end);
        const outcomes = new Map<number, scheduler.Outcome>();
        const started = new Set(first.ready);
        const skipped = new Set(first.skipped);
        const check = () => {
          const expected = model(plan, outcomes);
          plan.nodes.forEach((_, index) => {
            const mayStart = ['startable', 'completed', 'failed'].includes(expected[index]!);
            expect([index, started.has(index)]).toEqual([index, mayStart]);
            expect([index, skipped.has(index)]).toEqual([index, expected[index] === 'skipped']);
          });
        };
        check();
        for (const { settled, outcome, decision } of judged) {
          outcomes.set(settled, outcome);
          decision.ready.forEach((index) => started.add(index));
          decision.skipped.forEach((index) => skipped.add(index));
          check();
        }
      }),
      runs,
    );
  });

  it('ends every node exactly once, and is done when and only when all have ended (S2)', () => {
    fc.assert(
      fc.property(planArbitrary, scriptArbitrary, (plan, script) => {
        const { state, first, steps } = play(plan, script);
        const ready = [...first.ready, ...steps.flatMap(({ decision }) => decision.ready)];
        expect(new Set(ready).size).toBe(ready.length);
        const skipped = steps.flatMap(({ decision }) => decision.skipped);
        const ends = [...steps.map(({ settled }) => settled), ...skipped];
        expect(new Set(ends).size).toBe(ends.length);
        expect(scheduler.isDone(state)).toBe(true);
        expect(state.unsettled).toBe(0);
        expect(state.nodes.every((node) => ['completed', 'failed', 'skipped'].includes(node.state))).toBe(true);
      }),
      runs,
    );
  });

  it('starts nothing after a failure that nobody handles, and names the first one (S2)', () => {
    fc.assert(
      fc.property(planArbitrary, scriptArbitrary, (plan, script) => {
        const { state, steps } = play(plan, script);
        const end = unhandledFailure(plan, steps);
        expect(state.failure?.node_id).toBe(end === -1 ? undefined : plan.nodes[steps[end]!.settled]!.id);
        if (end === -1) return;
        expect(steps.slice(end).flatMap(({ decision }) => decision.ready)).toEqual([]);
      }),
      runs,
    );
  });

  it('decides the same for the same order of outcomes, however often it is taken through JSON between them (S3, S6)', () => {
    fc.assert(
      fc.property(planArbitrary, scriptArbitrary, (plan, script) => {
        const straight = play(plan, script);
        const rebuilt = play(plan, script, (state) => JSON.parse(JSON.stringify(state)) as scheduler.RunState);
        expect(rebuilt.first).toEqual(straight.first);
        expect(rebuilt.steps).toEqual(straight.steps);
        expect(JSON.stringify(rebuilt.state)).toBe(JSON.stringify(straight.state));
      }),
      runs,
    );
  });

  it('counts what it holds, and keeps every output that something unfinished reads (S6)', () => {
    fc.assert(
      fc.property(planArbitrary, scriptArbitrary, (plan, script) => {
        play(plan, script, (state) => {
          const held = state.nodes.map((node) => (node.state === 'completed' && node.outputs ? node.size : 0));
          expect(state.held).toBe(held.reduce((sum, size) => sum + size, 0));
          state.nodes.forEach((node, index) => {
            if (node.state !== 'completed') return;
            const readers = plan.nodes[index]!.outgoing.filter((edge) => {
              const { carries, to } = plan.edges[edge]!;
              return carries === 'data' && ['pending', 'ready', 'running'].includes(state.nodes[to]!.state);
            });
            expect(node.readers).toBe(readers.length);
            expect(state.unread.filter((each) => each === index)).toHaveLength(readers.length === 0 ? 1 : 0);
          });
          return state;
        });
      }),
      runs,
    );
  });
});
