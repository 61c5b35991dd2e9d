/**
 * One execution of a graph: the scheduler's decisions carried out on Temporal.
 *
 * Outcomes arrive from timers and activities, the scheduler says what follows, and `#advance` starts what may start. Nothing
 * starts while a halt holds; what runs is awaited. The end is a function of the nodes alone: once all are settled, nothing that
 * arrives later changes it.
 */
import {
  CancellationScope,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ExecutionContext } from '../events/build';
import type { NodeFact } from '../events/envelope';
import { planGraph, type Plan, type PlannedNode } from '../graph/plan';
import { assertRunnable } from '../graph/runnable';
import * as scheduler from '../graph/scheduler';
import type { NodeTask } from '../graph/task';
import { present } from '../json';
import { describeProgress } from './details';
import { tellExecution, tellNode } from './event-sink';
import { Halts } from './halts';
import { InFlight, type Route } from './in-flight';
import { LocalBudget } from './local-budget';
import type { ExecutionState, ExecutionStatus, RunGraphInput } from './messages';
import { outcomeOfError, outcomeOfResult, runControl, startActivity, startPure, type RunOutcome } from './node-runner';
import { stateAttribute } from './search-attributes';
import { runWithin } from './scope';
import { executionStatus, type Turn } from './status';

/** A pure node that may take longer, or be tried again, would hold the workflow task and keep halts from being heard. */
const LONGEST_LOCAL_MS = 1_000;
const CANCELLED = 'the execution was cancelled';

export class Execution {
  readonly #input: RunGraphInput;
  readonly #context: ExecutionContext;
  readonly #plan: Plan;
  readonly #run: scheduler.RunState;
  readonly #turns = new Map<number, Turn>();
  readonly #out = new InFlight();
  readonly #halts = new Halts();
  readonly #budget = new LocalBudget();
  readonly #root = CancellationScope.current();
  readonly #startedAt = workflowInfo().startTime.toISOString();
  #ready: number[];
  /** Ready pure nodes that the budget of local activities holds back. */
  #held: number[] = [];
  /** Ready nodes for which there is no room among the activities. */
  #queued: number[] = [];
  /** Ends with the execution's cancel alone. */
  readonly #cancellable = new CancellationScope({ cancellable: true, parent: this.#root });
  /** Ends with every halt as well; each resume opens the next. */
  #interruptible = new CancellationScope({ cancellable: true, parent: this.#root });
  #ordinal = 0;
  #open = false;
  #concluded = false;
  #cancelled = false;
  #atBoundary = false;
  #state: ExecutionState = 'running';
  #end: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  constructor(input: RunGraphInput) {
    const { graph, version, kinds, mode } = input;
    this.#input = input;
    this.#context = {
      execution_id: workflowInfo().workflowId,
      workflow_id: graph.id,
      graph_version: version,
      ...present({ bot_id: graph.bot_id, strategy_id: graph.strategy_id }),
      mode,
    };
    this.#plan = planGraph(graph, kinds);
    assertRunnable(this.#plan);
    const { state, decision } = scheduler.createRun(this.#plan);
    this.#run = state;
    this.#ready = decision.ready;
  }

  get failure(): scheduler.RunState['failure'] {
    return this.#run.failure;
  }

  get wasCancelled(): boolean {
    return this.#cancelled;
  }

  announceStart(): void {
    tellExecution(this.#context, 0, { type: 'execution_started', node_count: this.#plan.nodes.length });
  }

  /** Runs every node; resolves when all are settled. */
  async run(): Promise<void> {
    this.#open = true;
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.#advance();
    await ended;
  }

  /** Closes the books: the last state for the lists, the hint for the reconciler. */
  conclude(state: ExecutionState): void {
    this.#open = false;
    this.#show(state);
    this.#concluded = true;
    tellExecution(this.#context, 'ending', { type: 'execution_ending' });
  }

  halt(scope: string, reason: string): void {
    if (scheduler.isDone(this.#run) || !this.#halts.raise(scope, reason, Date.now())) return;
    tellExecution(this.#context, ++this.#ordinal, { type: 'execution_halted', reason, scope });
    this.#interruptible.cancel();
    this.#refreshState();
  }

  resume(scope: string, reason: string): void {
    if (!this.#halts.lift(scope)) return;
    tellExecution(this.#context, ++this.#ordinal, { type: 'execution_resumed', reason, scope });
    this.#interruptible = new CancellationScope({ cancellable: true, parent: this.#root });
    this.#advance();
  }

  get halts(): Halts {
    return this.#halts;
  }

  /** Nothing new starts; what runs is awaited, what waits is taken back. */
  cancel(): void {
    if (scheduler.isDone(this.#run)) return;
    this.#cancelled = true;
    this.abandon(CANCELLED);
  }

  /** Skips what has not started. */
  abandon(reason: string): void {
    this.#skipped(scheduler.abandonRest(this.#plan, this.#run, reason).skipped);
    this.#finishIfDone();
  }

  status(): ExecutionStatus {
    return executionStatus({
      context: this.#context,
      plan: this.#plan,
      run: this.#run,
      turnOf: (index) => this.#turn(index),
      waits: (index) => this.#out.waits(index),
      state: this.#state,
      halts: this.#halts.causes,
      started_at: this.#startedAt,
      ordinal: this.#ordinal,
    });
  }

  /** The durable state says whether a node may start; it costs no round trip, and the desk's notices keep it true. */
  #assertCanTrade(): boolean {
    return this.#open && !this.#cancelled && !this.#halts.active;
  }

  #advance(): void {
    if (this.#assertCanTrade()) {
      runWithin(this.#interruptible, () => {
        this.#launchDue();
      });
    }
    this.#refreshState();
    this.#finishIfDone();
  }

  #launchDue(): void {
    const due = [...this.#queued.splice(0, this.#out.room), ...this.#ready.splice(0)];
    for (const index of due) this.#launch(index);
    if (this.#held.length > 0) this.#waitForBoundary();
  }

  /** Hands a ready node out, or puts it where it waits for a workflow task boundary or for room. */
  #launch(index: number): void {
    const route = this.#routeOf(this.#node(index));
    if (route === 'local' && this.#budget.isSpent) this.#held.push(index);
    else if (route === 'activity' && this.#out.room === 0) this.#queued.push(index);
    else this.#handOut(index, route);
  }

  #handOut(index: number, route: Route): void {
    if (route === 'local') this.#budget.started();
    scheduler.start(this.#run, index);
    this.#turns.set(index, { dispatch: this.#turn(index).dispatch + 1 });
    this.#out.add(index, route);
    const task = this.#task(index);
    if (route === 'control') {
      this.#startControl(index, task);
      return;
    }
    (route === 'local' ? startPure(task) : startActivity(task)).then(
      (result) => {
        this.#settle(index, outcomeOfResult(result));
      },
      (error: unknown) => {
        this.#orDie(() => {
          this.#settle(index, outcomeOfError(task, error));
        });
      },
    );
  }

  #startControl(index: number, task: NodeTask): void {
    this.#tell(index, { type: 'node_started' });
    this.#tell(index, { type: 'node_waiting', reason: `waits for ${String(task.fields['for'])}` });
    this.#cancellable
      .run(() => runControl(this.#node(index), task.fields))
      .then(
        (outcome) => {
          this.#settle(index, outcome);
        },
        (error: unknown) => this.#end?.reject(error),
      );
  }

  /** A defect ends the run where it is awaited; thrown from a callback nobody would hear it. */
  #orDie(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#end?.reject(error);
    }
  }

  #routeOf({ traits, retry, timeout_ms }: PlannedNode): Route {
    if (traits.effect === 'control') return 'control';
    const fits = traits.effect === 'pure' && retry.max_attempts === 1 && timeout_ms <= LONGEST_LOCAL_MS;
    return fits ? 'local' : 'activity';
  }

  #settle(index: number, outcome: RunOutcome): void {
    const route = this.#out.remove(index);
    if (outcome.kind === 'interrupted') {
      this.#takeBack(index);
      return;
    }
    if (route === 'local' && outcome.kind === 'completed') this.#budget.returned(outcome.outputs);
    const { attempt, duration_ms } = outcome;
    this.#turns.set(index, { ...this.#turn(index), ...present({ attempt, duration_ms }) });
    const { ready, skipped } = scheduler.settle(this.#plan, this.#run, index, outcome);
    this.#tellEnd(index, route);
    this.#skipped(skipped);
    this.#ready.push(...ready);
    this.#advance();
  }

  /** Ready again, for the next resume; after a cancel or a failure nothing starts any more. */
  #takeBack(index: number): void {
    scheduler.unstart(this.#run, index);
    if (this.#cancelled || this.failure !== undefined) {
      this.abandon(this.#cancelled ? CANCELLED : 'the execution failed');
    } else {
      this.#ready.push(index);
    }
    this.#advance();
  }

  /** Workers tell how activities end; what has none, and what no worker lived to tell, is told from here under the same id. */
  #tellEnd(index: number, route: Route | undefined): void {
    const node = this.#run.nodes[index];
    const duration_ms = this.#turn(index).duration_ms ?? 0;
    if (node?.state === 'failed') {
      this.#tell(index, { type: 'node_failed', error: node.error, error_type: node.error_type, duration_ms });
    } else if (node?.state === 'completed' && route === 'control') {
      this.#tell(index, { type: 'node_completed', status: 'success', duration_ms, outputs: node.outputs });
    }
  }

  #skipped(indexes: readonly number[]): void {
    for (const index of indexes) {
      const node = this.#run.nodes[index];
      if (node?.state !== 'skipped') continue;
      this.#turns.set(index, { dispatch: this.#turn(index).dispatch + 1, attempt: 0 });
      this.#tell(index, { type: 'node_skipped', reason: node.reason });
    }
    if (indexes.length > 0) {
      this.#ready = this.#ready.filter((index) => this.#isReady(index));
      this.#held = this.#held.filter((index) => this.#isReady(index));
      this.#queued = this.#queued.filter((index) => this.#isReady(index));
    }
  }

  #isReady(index: number): boolean {
    return this.#run.nodes[index]?.state === 'ready';
  }

  /** A short timer ends the workflow task, so that signals which came meanwhile are handled first. */
  #waitForBoundary(): void {
    if (this.#atBoundary) return;
    this.#atBoundary = true;
    CancellationScope.nonCancellable(() => sleep(1)).then(
      () => {
        this.#atBoundary = false;
        this.#budget.renew();
        this.#ready = this.#held.splice(0).concat(this.#ready);
        this.#advance();
      },
      (error: unknown) => this.#end?.reject(error),
    );
  }

  #finishIfDone(): void {
    if (scheduler.isDone(this.#run)) this.#end?.resolve();
  }

  #refreshState(): void {
    if (this.#concluded) return;
    this.#show(this.#halts.active ? 'halted' : this.#out.onlyWaits ? 'waiting' : 'running');
  }

  #show(state: ExecutionState): void {
    const halts = this.#halts.causes;
    setCurrentDetails(describeProgress({ plan: this.#plan, run: this.#run, out: this.#out.indexes(), state, halts }));
    if (state === this.#state) return;
    this.#state = state;
    upsertSearchAttributes([stateAttribute(state)]);
  }

  #task(index: number): NodeTask {
    const node = this.#node(index);
    return {
      ...this.#context,
      workflow_id: this.#input.graph.id,
      node_id: node.id,
      node_type: node.type,
      frame: '',
      generation: 0,
      dispatch: this.#turn(index).dispatch,
      fields: scheduler.resolveFields(this.#plan, this.#run, index),
      timeout_ms: node.timeout_ms,
      retry: node.retry,
    };
  }

  #tell(index: number, fact: NodeFact): void {
    tellNode(this.#context, this.#node(index), this.#turn(index), fact);
  }

  #node(index: number): PlannedNode {
    const node = this.#plan.nodes[index];
    if (node === undefined) throw new RangeError(`no node ${index}`);
    return node;
  }

  #turn(index: number): Turn {
    return this.#turns.get(index) ?? { dispatch: 0 };
  }
}
