/**
 * One execution on driven time. It decides with the code a real one decides with (the graph's own run, how control kinds begin,
 * what waits), and does by itself only what Temporal does for a real one: timers, attempts, children.
 */
import { GraphRun, type Advance } from '../graph/graph-run';
import { escapeReserved } from '../graph/blob';
import { ON_HALT, runsAside } from '../graph/frame';
import { planGraph, planOnHalt, type Plan, type PlannedNode } from '../graph/plan';
import type { Failure, Outcome } from '../graph/scheduler';
import { present } from '../json';
import { beginControl } from '../workflows/control';
import { Halts, OWN_SCOPE } from '../workflows/halts';
import { InFlight } from '../workflows/in-flight';
import { readAgain } from '../workflows/judging';
import type { ChildOutcome, Delivery, NodeStatus, RunGraphInput, Wait } from '../workflows/messages';
import { ReadyQueue } from '../workflows/ready-queue';
import { nodeStatus, type NodeBooks } from '../workflows/status';
import { Turns } from '../workflows/turns';
import { Attempts, type AttemptsOutcome, type World } from './attempts';
import { childOf } from './child';
import { taskOf } from './driven-task';
import { DrivenWaits } from './driven-waits';

const PARENT_SCOPE = 'parent';
const CANCELLED = 'the execution was cancelled';
/** As an execution of a small graph has it. */
const OUTPUT_LIMIT = 1_000_000;

export interface DrivenOptions {
  readonly input: RunGraphInput;
  readonly execution_id: string;
  /** Of a `subgraph` node: its key and a slash. */
  readonly prefix?: string;
  readonly ended?: (outcome: ChildOutcome) => void;
}

export class DrivenExecution {
  readonly #world: World;
  readonly #options: DrivenOptions;
  readonly #graph: GraphRun;
  readonly #onHalt: Plan | undefined;
  readonly #turns = new Turns();
  readonly #inner: DrivenWaits;
  readonly #halts = new Halts();
  readonly #firstAt = new Map<number, number>();
  readonly #room = new InFlight();
  readonly #out = new Map<number, Attempts>();
  readonly #children = new Map<number, DrivenExecution>();
  /** What each node gave last, also when nothing reads it any more. */
  readonly #given = new Map<number, Readonly<Record<string, unknown>>>();
  readonly #queue: ReadyQueue;
  #ordinal = 0;
  #pumping = false;
  #cancelled = false;
  #concluded = false;

  constructor(world: World, options: DrivenOptions) {
    const { graph, kinds, inputs = {}, inputs_until } = options.input;
    this.#world = world;
    this.#options = options;
    this.#inner = new DrivenWaits(world.timeline, (id, outcome) => {
      this.#settleWait(id, outcome);
    });
    this.#onHalt = planOnHalt(graph, kinds);
    const variables = escapeReserved(graph.variables ?? {}) as Readonly<Record<string, unknown>>;
    const given = { inputs, inputs_until, variables, output_limit: OUTPUT_LIMIT };
    const { run, first } = GraphRun.create(planGraph(graph, kinds), given);
    this.#graph = run;
    this.#queue = new ReadyQueue(first.ready, []);
  }

  get failure(): Failure | undefined {
    return this.#graph.failure;
  }

  get outputs(): Record<string, unknown> {
    return this.#graph.outputs;
  }

  /** Every node is settled. */
  get isDone(): boolean {
    return this.#concluded;
  }

  get isHalted(): boolean {
    return this.#halts.active;
  }

  get wasCancelled(): boolean {
    return this.#cancelled;
  }

  /** What keeps it from going on, in words. */
  get waitsFor(): string[] {
    const halted = this.#halts.causes.map(({ reason }) => `it is halted: ${reason}`);
    const waits = [...this.#inner.reasons].map(([id, reason]) => `\`${this.#key(id)}\` ${reason}`);
    return [...halted, ...waits, ...[...this.#children.values()].flatMap((child) => child.waitsFor)];
  }

  /** By key, as the status of an execution shows them; those of children under the key of their `subgraph`. */
  get nodes(): [string, NodeStatus][] {
    const own = this.#graph.frames.flatMap(({ base, plan }) => plan.nodes.map((_, index) => base + index));
    const mine = own.map((id): [string, NodeStatus] => [this.#key(id), this.#status(id)]);
    return [...mine, ...[...this.#children.values()].flatMap((child) => child.nodes)];
  }

  /** Starts what may start now. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (const id of this.#queue.takeAside()) this.#launch(id);
    while (!this.#cancelled && !this.isHalted && this.#queue.hasNext(this.#room.hasRoom)) {
      const id = this.#queue.take(this.#room.hasRoom);
      if (id !== undefined) this.#launch(id);
    }
    this.#pumping = false;
    this.#finish();
  }

  halt(reason: string, scope = OWN_SCOPE): void {
    const before = this.isHalted;
    if (this.#graph.isDone || !this.#halts.raise(scope, reason, this.#world.timeline.now)) return;
    this.#ordinal += 1;
    for (const [id, attempts] of [...this.#out]) if (!runsAside(this.#graph.frame(id))) attempts.interrupt();
    if (before) return;
    if (this.#onHalt !== undefined) this.#apply(this.#graph.openAside(`${ON_HALT}[${this.#ordinal}]`, this.#onHalt));
    for (const child of this.#children.values()) child.halt(reason, PARENT_SCOPE);
    this.pump();
  }

  resume(scope = OWN_SCOPE): void {
    if (!this.#halts.lift(scope)) return;
    this.#ordinal += 1;
    for (const child of this.#children.values()) child.resume(PARENT_SCOPE);
    this.#apply(readAgain(this.#books, this.#world.timeline.now));
    this.pump();
  }

  cancel(): void {
    if (this.#graph.isDone || this.#cancelled) return;
    this.#cancelled = true;
    this.#apply(this.#graph.abandon(CANCELLED));
    for (const child of [...this.#children.values()]) child.cancel();
    this.pump();
  }

  /** Takes a message; says why not. */
  deliver(delivery: Delivery): string | undefined {
    return this.#inner.deliver(delivery);
  }

  /** What a node waits for, and how to end that. */
  waitOf(key: string): { readonly wait: Wait; readonly end: (outcome: Outcome) => void } | undefined {
    const id = key.startsWith(this.#prefix) ? this.#graph.find(key.slice(this.#prefix.length)) : undefined;
    const wait = id === undefined ? undefined : this.#inner.waits.get(id);
    if (id !== undefined && wait !== undefined) {
      return {
        wait,
        end: (outcome) => {
          this.#settleWait(id, outcome);
        },
      };
    }
    for (const child of this.#children.values()) {
      const found = child.waitOf(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  get #prefix(): string {
    return this.#options.prefix ?? '';
  }

  #key(id: number): string {
    return `${this.#prefix}${this.#graph.key(id)}`;
  }

  #status(id: number): NodeStatus {
    const status = nodeStatus(this.#books, id);
    const given = status.state === 'completed' ? this.#given.get(id) : undefined;
    return given === undefined ? status : { ...status, outputs: this.#world.blobs.read(given) };
  }

  get #books(): NodeBooks {
    return { graph: this.#graph, turns: this.#turns, waits: this.#inner.waits };
  }

  #launch(id: number): void {
    if (this.#graph.state(id).state !== 'ready') return;
    const old = this.#graph.oldInput(id);
    if (old === undefined) this.#handOut(id);
    else {
      this.#start(id);
      this.#settle(id, { kind: 'failed', error: old, error_type: 'StaleInput' });
    }
  }

  #handOut(id: number): void {
    const node = this.#graph.node(id);
    const isFaked = this.#world.fakes.get(this.#key(id)) !== undefined;
    if (node.traits.effect === 'control' && !isFaked) this.#begin(id, node);
    else if (node.traits.effect === 'pure' && !isFaked) this.#send(id, node);
    else if (!this.#room.hasRoom) this.#queue.queue(id);
    else {
      this.#room.add(id, 'activity');
      this.#send(id, node);
    }
  }

  #start(id: number): void {
    this.#turns.next(id);
    this.#graph.start(id);
  }

  #send(id: number, node: PlannedNode): void {
    this.#start(id);
    const { now } = this.#world.timeline;
    if (!this.#firstAt.has(id)) this.#firstAt.set(id, now);
    const expires_at = (this.#firstAt.get(id) ?? now) + (node.total_timeout_ms ?? Infinity);
    if (expires_at <= now) {
      this.#settle(id, { kind: 'failed', error: 'no end within total_timeout', error_type: 'TimeoutError' });
      return;
    }
    const task = taskOf(this.#options, this.#books, id);
    const ended = (outcome: AttemptsOutcome): void => {
      if (outcome.kind === 'interrupted') this.#takeBack(id);
      else this.#settle(id, outcome);
    };
    this.#out.set(id, new Attempts(this.#world, { task, key: this.#key(id), expires_at, ended }));
  }

  #begin(id: number, node: PlannedNode): void {
    const { now } = this.#world.timeline;
    this.#start(id);
    this.#firstAt.set(id, now);
    const begun = beginControl(this.#graph, id, now);
    switch (begun.kind) {
      case 'ended':
        this.#settle(id, { ...begun.outcome, duration_ms: 0 });
        return;
      case 'loop':
        this.#apply(this.#graph.openLoop(id, now));
        return;
      case 'child':
        this.#startChild(id, node);
        return;
      case 'waits':
        this.#inner.begin(id, begun.wait, begun.reason);
    }
  }

  #startChild(id: number, node: PlannedNode): void {
    const key = this.#key(id);
    const [place, fields, until] = [this.#graph.key(id), this.#graph.fields(id), this.#graph.fieldsUntil(id)];
    const child = childOf(this.#options, { node, key, place, fields, until });
    const { execution_id } = child;
    const ended = (outcome: ChildOutcome): void => {
      if (outcome.kind === 'failed') this.#settleWait(id, outcome);
      else this.#settleWait(id, { ...outcome, outputs: { ...outcome.outputs, execution_id } });
    };
    const execution = new DrivenExecution(this.#world, { ...child, prefix: `${key}/`, ended });
    this.#children.set(id, execution);
    const { now } = this.#world.timeline;
    this.#inner.begin(id, { kind: 'child', child_id: execution_id, since: now }, `runs as ${execution_id}`);
    execution.pump();
  }

  #settleWait(id: number, outcome: Outcome): void {
    this.#settle(id, { ...outcome, duration_ms: this.#age(id) });
  }

  #settle(id: number, outcome: Outcome & { readonly attempt?: number; readonly duration_ms?: number }): void {
    this.#release(id);
    const { attempt, duration_ms } = outcome;
    this.#turns.set(id, { ...this.#turns.of(id), ...present({ attempt, duration_ms }) });
    this.#inner.forget(id);
    if (outcome.kind === 'completed') this.#given.set(id, outcome.outputs);
    this.#apply(this.#graph.settle(id, outcome, this.#world.timeline.now));
    this.pump();
  }

  #release(id: number): void {
    this.#room.remove(id);
    this.#out.delete(id);
  }

  /** Ready again, for the next resume; where all was given up nothing starts any more. */
  #takeBack(id: number): void {
    this.#release(id);
    this.#graph.unstart(id);
    const { givenUp } = this.#graph.frame(id);
    if (givenUp === undefined) this.#becameReady(id);
    else this.#apply(this.#graph.giveUp(id, givenUp));
    this.pump();
  }

  #apply({ renewed, ended, skipped, ready, givenUp }: Advance): void {
    for (const id of renewed) {
      this.#inner.forget(id);
      this.#turns.reset(id);
      this.#firstAt.delete(id);
    }
    for (const { id, outputs } of ended) {
      this.#turns.set(id, { ...this.#turns.of(id), duration_ms: this.#age(id) });
      if (outputs !== undefined && this.#graph.state(id).state === 'completed') this.#given.set(id, outputs);
    }
    for (const id of skipped) {
      this.#inner.forget(id);
      this.#turns.set(id, { ...this.#turns.next(id), attempt: 0 });
    }
    for (const id of ready) this.#becameReady(id);
    if (givenUp.length > 0) this.#takeBackWaits();
  }

  #becameReady(id: number): void {
    if (runsAside(this.#graph.frame(id))) this.#queue.addAside(id);
    else this.#queue.add(id);
  }

  /** Where all was given up, what only waits is taken back; a child is awaited. */
  #takeBackWaits(): void {
    for (const [id, { kind }] of this.#inner.waits.all) {
      const { givenUp } = this.#graph.frame(id);
      if (givenUp === undefined || kind === 'child' || this.#inner.waits.get(id) === undefined) continue;
      this.#inner.forget(id);
      this.#apply(this.#graph.giveUp(id, givenUp));
    }
  }

  /** Since it was first handed out. */
  #age(id: number): number {
    const { now } = this.#world.timeline;
    return now - (this.#firstAt.get(id) ?? now);
  }

  #finish(): void {
    if (this.#concluded || !this.#graph.isDone || this.#out.size > 0) return;
    this.#concluded = true;
    this.#options.ended?.(this.#outcome());
  }

  #outcome(): ChildOutcome {
    if (this.#cancelled) return { kind: 'failed', error: CANCELLED, error_type: 'ExecutionCancelled' };
    const { failure } = this;
    const good_until = this.#graph.outputsUntil;
    if (failure === undefined) return { kind: 'completed', outputs: this.outputs, ...present({ good_until }) };
    return { kind: 'failed', error: `${failure.node_id}: ${failure.error}`, error_type: 'NodeFailed' };
  }
}
