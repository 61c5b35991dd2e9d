/**
 * One execution of a graph: its decisions carried out on Temporal.
 *
 * Outcomes arrive from timers, activities, messages and children; the graph says what follows, and `pump` starts what may start.
 * Nothing starts while a halt holds but what is declared for halts; what runs is awaited. The end is a function of the nodes
 * alone: once all are settled, nothing that arrives later changes it. Before its history grows long an execution stops starting,
 * awaits its activities and goes on in a new run; what waits inside the workflow travels with its deadline.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { ExecutionContext } from '../events/build';
import { ON_HALT, runsAside } from '../graph/frame';
import type { Advance } from '../graph/graph-run';
import type { Outcome } from '../graph/scheduler';
import { present } from '../json';
import { ageOf, carryExecution, deadlineOf, openExecution, type Books } from './books';
import { Departure } from './departure';
import type { DeskWatch } from './desk-watch';
import { watchDesk } from './desk-notices';
import type { Engine } from './engine';
import { InnerWaits } from './inner-waits';
import { readAgain } from './judging';
import { Launcher } from './launcher';
import type { CarriedExecution, Delivery, ExecutionState, ExecutionStatus, RunGraphInput } from './messages';
import { endOf, type RunOutcome, type TakenBack } from './node-runner';
import { Looks } from './looks';
import { ReadyQueue } from './ready-queue';
import { runWithin } from './scope';
import { ShownState } from './shown-state';
import { executionStatus } from './status';
import { Subgraphs } from './subgraphs';
import { Teller } from './teller';

const CANCELLED = 'the execution was cancelled';

/** `continue`: the history is long enough, and `carry` gives what the next run needs. */
export type RunEnd = 'done' | 'continue';

export class Execution implements Engine {
  readonly input: RunGraphInput;
  readonly books: Books;
  readonly teller: Teller;
  readonly children: Subgraphs;
  readonly desk: DeskWatch;
  readonly looks: Looks;
  readonly #waits: InnerWaits;
  readonly #launcher: Launcher;
  readonly #departure: Departure;
  readonly #shown: ShownState;
  readonly #root = CancellationScope.current();
  /** Ends with the execution's cancel alone. */
  readonly #steady = new CancellationScope({ cancellable: true, parent: this.#root });
  /** Ends with every halt as well; each resume opens the next. */
  #interruptible = new CancellationScope({ cancellable: true, parent: this.#root });
  #open = false;
  #pumping = false;
  #cancelled = false;
  #defect: { readonly error: unknown } | undefined;
  #end: { resolve: (end: RunEnd) => void; reject: (error: unknown) => void } | undefined;

  constructor(input: RunGraphInput, context: ExecutionContext) {
    const { books, ready, aside } = openExecution(input, context);
    this.input = input;
    this.books = books;
    this.teller = new Teller(context, books.graph, books.turns);
    this.children = new Subgraphs(this);
    this.desk = watchDesk(this);
    this.looks = new Looks(books, this.#becameReady.bind(this));
    this.#waits = new InnerWaits(this, {
      deferral: (id, { by_gate }) => {
        if (by_gate === true && !books.halts.active) this.#readAgain(id);
        this.#becameReady(id);
      },
      children: (ids) => {
        this.children.look(ids);
      },
    });
    this.#departure = new Departure(this, {
      mayLeave: () => this.#launcher.out.size === 0 && !this.children.isBusy && !books.graph.isDone,
      leave: () => this.#end?.resolve('continue'),
    });
    this.#cancelled = input.carried?.cancelled === true;
    this.#shown = new ShownState(books, () => this.#launcher.out.ids);
    this.#launcher = new Launcher(this, new ReadyQueue(ready, aside), {
      settle: (id, outcome) => {
        this.#settle(id, outcome);
      },
      wait: (id, wait, reason) => {
        this.#waits.begin(id, wait, reason);
      },
      open: (id) => {
        this.#apply(books.graph.openLoop(id, books.clock.now));
      },
      startChild: (id, started) => {
        this.children.start(id, started);
      },
      isAsking: () => this.children.areOut || this.desk.isBusy,
    });
  }

  get state(): ExecutionState {
    return this.#shown.state;
  }

  get wasCancelled(): boolean {
    return this.#cancelled;
  }

  announceStart(): void {
    const node_count = this.books.graph.frames[0]?.plan.nodes.length ?? 0;
    this.teller.execution(0, { type: 'execution_started', node_count });
  }

  async run(): Promise<RunEnd> {
    this.#open = true;
    const ended = new Promise<RunEnd>((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    if (this.#defect !== undefined) this.die(this.#defect.error);
    this.guard(() => {
      this.look();
      this.desk.watch();
      if (this.input.carried?.adopted_from !== undefined) this.#readAgain();
      this.pump();
    });
    const end = await ended;
    this.#waits.disarm();
    return end;
  }

  /** `small`: without the frames that have ended, which are kept for show. */
  carry(small = false): CarriedExecution {
    return { ...carryExecution(this.books, small), ...(this.#cancelled ? { cancelled: true as const } : {}) };
  }

  /** Closes the books: the last state for the lists, the hint for the reconciler. */
  conclude(state: ExecutionState): void {
    this.#open = false;
    this.#shown.conclude(state);
    this.teller.execution('ending', { type: 'execution_ending' });
  }

  halt(scope: string, reason: string): void {
    const { halts, graph } = this.books;
    const before = halts.active;
    if (graph.isDone || !halts.raise(scope, reason, this.books.clock.now)) return;
    const ordinal = ++this.books.ordinal;
    this.teller.execution(ordinal, { type: 'execution_halted', reason, scope });
    this.#interruptible.cancel();
    this.desk.watch();
    if (!before && !this.#cancelled) this.#startOnHalt(ordinal);
    if (!before) this.children.halt(reason);
    this.pump();
  }

  resume(scope: string, reason: string): void {
    if (!this.books.halts.lift(scope)) return;
    const ordinal = ++this.books.ordinal;
    this.teller.execution(ordinal, { type: 'execution_resumed', reason, scope });
    this.#interruptible = new CancellationScope({ cancellable: true, parent: this.#root });
    this.children.resume(reason);
    this.#readAgain();
    this.pump();
  }

  /** Nothing new starts; what runs is awaited, children too, what waits is taken back. */
  cancel(): void {
    if (this.books.graph.isDone || this.#cancelled) return;
    this.#cancelled = true;
    this.#apply(this.books.graph.abandonAside(CANCELLED));
    this.abandon(CANCELLED);
    this.children.cancel();
  }

  /** Skips what has not started. */
  abandon(reason: string): void {
    this.changed(this.books.graph.abandon(reason));
  }

  deliver(delivery: Delivery): string | undefined {
    return this.#waits.deliver(delivery);
  }

  /** What follows from a change made by hand. */
  changed(advance: Advance): void {
    this.#apply(advance);
    this.pump();
  }

  settleWait(id: number, outcome: Outcome): void {
    this.#settle(id, { ...outcome, duration_ms: ageOf(this.books, id) });
  }

  die(error: unknown): void {
    this.#defect ??= { error };
    this.#end?.reject(error);
  }

  look(): void {
    this.books.clock.look();
    this.#launcher.look();
  }

  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.die(error);
    }
  }

  status(): ExecutionStatus {
    return executionStatus(this.books, {
      state: this.state,
      outputs: this.#shown.isFinal && this.state === 'completed',
    });
  }

  together(action: () => void): void {
    const outermost = !this.#pumping;
    this.#pumping = true;
    try {
      action();
    } finally {
      if (outermost) this.#pumping = false;
    }
    if (outermost) this.pump();
  }

  pump(): void {
    if (this.#pumping || this.#departure.isUnderWay) return;
    this.#pumping = true;
    this.#launchAside();
    if (this.#assertCanTrade()) {
      runWithin(this.#interruptible, () => {
        while (this.#assertCanTrade() && this.#launcher.launchNext());
      });
    }
    this.#pumping = false;
    this.#launcher.waitForBoundary();
    if (this.#open) this.#waits.arm();
    this.#refreshState();
    this.#finish();
  }

  /** The durable state says whether a node may start; it costs no round trip, and the desk's notices keep it true. */
  #assertCanTrade(): boolean {
    return this.#open && !this.#cancelled && !this.books.halts.active;
  }

  /** What runs at a halt waits for neither room nor budget: it must not wait for what is halted. */
  #launchAside(): void {
    if (!this.#open || this.#cancelled || !this.#launcher.queue.hasAside) return;
    runWithin(this.#steady, () => {
      while (this.#launcher.queue.hasAside) {
        for (const id of this.#launcher.queue.takeAside()) this.#launcher.launch(id, true);
      }
    });
  }

  #startOnHalt(ordinal: number): void {
    const { plans, graph } = this.books;
    if (plans.on_halt !== undefined) this.#apply(graph.openAside(`${ON_HALT}[${ordinal}]`, plans.on_halt));
  }

  #settle(id: number, outcome: RunOutcome): void {
    const route = this.#launcher.out.remove(id);
    const { graph, turns, waits, clock } = this.books;
    if (graph.state(id).state !== 'running') return;
    if (outcome.kind === 'interrupted' || outcome.kind === 'deferred') {
      this.#takeBack(id, outcome);
      this.pump();
      return;
    }
    const { attempt, duration_ms } = outcome;
    if (route === 'local' && outcome.kind === 'completed') this.#launcher.returned(outcome);
    turns.ended(id, { attempt, duration_ms, ended_at: clock.now });
    waits.delete(id);
    const advance = graph.settle(id, outcome, endOf(outcome, clock.now));
    const inside = graph.node(id).traits.effect === 'control' && outcome.kind === 'completed';
    this.teller.ended(id, inside ? outcome.outputs : undefined);
    this.changed(advance);
  }

  /** Ready again, for the next resume or when it may be tried; where all was given up nothing starts any more. */
  #takeBack(id: number, outcome: TakenBack): void {
    const { graph, waits, turns, clock } = this.books;
    graph.unstart(id);
    const { givenUp } = graph.frame(id);
    if (givenUp !== undefined) {
      this.#apply(graph.giveUp(id, givenUp));
    } else if (outcome.kind === 'deferred') {
      if (outcome.by_gate === true) this.desk.ask();
      turns.deferred(id, outcome);
      const pause = this.looks.take(id) ? 0 : outcome.retry_in_ms;
      const until = Math.min(clock.now + pause, deadlineOf(this.books, id));
      waits.set(id, { kind: 'deferral', until, why: outcome.why, ...present({ by_gate: outcome.by_gate }) });
      if (outcome.by_gate !== true)
        this.teller.deferred(id, `${outcome.why}; tried again at ${new Date(until).toISOString()}`);
    } else this.#becameReady(id);
  }

  #apply({ renewed, ended, skipped, ready, givenUp }: Advance): void {
    const { turns, first_at, waits, clock } = this.books;
    for (const id of renewed) {
      turns.reset(id);
      first_at.delete(id);
      waits.delete(id);
    }
    for (const { id, outputs } of ended) {
      turns.set(id, { ...turns.of(id), duration_ms: ageOf(this.books, id), ended_at: clock.now });
      this.teller.ended(id, outputs);
    }
    for (const id of skipped) {
      waits.delete(id);
      this.teller.skipped(id);
    }
    for (const id of ready) this.#becameReady(id);
    if (givenUp.length > 0) this.#takeBackWaits();
  }

  #becameReady(id: number): void {
    if (runsAside(this.books.graph.frame(id))) this.#launcher.queue.addAside(id);
    else this.#launcher.queue.add(id);
  }

  /** Where all was given up, what only waits is taken back; a child is awaited. */
  #takeBackWaits(): void {
    const { waits, graph } = this.books;
    for (const [id, { kind }] of waits.all) {
      const { givenUp } = graph.frame(id);
      if (givenUp === undefined || kind === 'child' || waits.get(id) === undefined) continue;
      waits.delete(id);
      this.#apply(graph.giveUp(id, givenUp));
    }
  }

  /** `only`: what a gate kept back, for a halt of which the execution knows nothing; it fails where it would start with what is too old. */
  #readAgain(only?: number): void {
    const { graph, clock } = this.books;
    this.#apply(readAgain(this.books, clock.now, only));
    if (only !== undefined && graph.state(only).state === 'ready') this.#launcher.refuseOld(only, clock.now);
  }

  /** Not before every word to a child was taken and every look at one returned: what a run's last task asks is not answered. */
  #finish(): void {
    if (this.#launcher.out.size > 0 || this.children.isBusy) return;
    if (this.books.graph.isDone) {
      if (!this.books.graph.runsAside) this.#end?.resolve('done');
    } else if (this.#open && this.#launcher.isSpent) this.#departure.prepare();
  }

  #refreshState(): void {
    const idle = this.#launcher.out.size === 0 && this.#launcher.queue.isEmpty && !this.books.graph.isDone;
    this.#shown.show(this.books.halts.active ? 'halted' : idle ? 'waiting' : 'running');
  }
}
