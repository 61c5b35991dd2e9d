/** Hands nodes out: which may start next, by which way, and with what. */
import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';
import { weightOf } from '../graph/output-ledger';
import type { PlannedNode } from '../graph/plan';
import type { NodeTask, OrderTrail } from '../graph/task';
import { present } from '../json';
import { deadlineOf } from './books';
import { beginControl } from './control';
import type { Engine } from './engine';
import { InFlight, type Route } from './in-flight';
import { InOrder } from './in-order';
import { LocalBudget } from './local-budget';
import type { Trail, Wait } from './messages';
import * as runner from './node-runner';
import type { ReadyQueue } from './ready-queue';
import { RunLength } from './run-length';
import { TaskLoad } from './task-load';

/** What becomes of a node that was handed out. */
export interface Destinations {
  settle(id: number, outcome: runner.RunOutcome): void;
  wait(id: number, wait: Wait, reason: string): void;
  /** A loop. */
  open(id: number): void;
  startChild(id: number, started: () => void): void;
  /** Whether something was asked whose answer takes a longer way through promises than the end of a local activity: a child, the desk. */
  readonly isAsking: () => boolean;
}

type Fields = NodeTask['fields'];

/** How long a run waits for what is out before it goes on for a while. */
const DRAIN_MS = 30_000;

export class Launcher {
  readonly queue: ReadyQueue;
  readonly out: InFlight;
  readonly #engine: Engine;
  readonly #to: Destinations;
  readonly #length: RunLength;
  readonly #budget = new LocalBudget();
  readonly #load = new TaskLoad();
  readonly #locals: InOrder;
  readonly #drainMs: number;
  #draining = false;
  #atBoundary = false;

  constructor(engine: Engine, queue: ReadyQueue, to: Destinations) {
    this.#engine = engine;
    this.queue = queue;
    this.#to = to;
    this.out = new InFlight(engine.input.settings?.max_in_flight);
    this.#length = new RunLength(engine.input.settings);
    this.#locals = new InOrder(to.isAsking);
    this.#drainMs = engine.input.settings?.drain_ms ?? DRAIN_MS;
  }

  /** No more starts in this run; it goes on in a new one once nothing is out. */
  get isSpent(): boolean {
    return this.#draining || this.#length.isSpent(0);
  }

  /** To be called for whatever the server brings: see `RunLength.look`. */
  look(): void {
    if (this.#length.look()) this.#load.renew();
  }

  /** Launches the next node that may start now; false when there is none. */
  launchNext(): boolean {
    if (!this.queue.hasNext(this.out.hasRoom)) return false;
    if (!this.#draining && this.#length.isSpent(this.out.activities)) this.#drain();
    const id = this.#draining ? undefined : this.queue.take(this.out.hasRoom);
    if (id === undefined) return false;
    this.launch(id);
    return true;
  }

  /** Hands a ready node out, or puts it where it waits for a workflow task boundary or for room; what stands `aside` never waits. */
  launch(id: number, aside = false): void {
    const { graph } = this.#engine.books;
    if (graph.state(id).state !== 'ready' || this.refuseOld(id)) return;
    const node = graph.node(id);
    if (node.traits.effect === 'control') this.#launchInside(id, node, aside);
    else this.#launchOutside(id, node, aside);
  }

  #launchInside(id: number, { type }: PlannedNode, aside: boolean): void {
    if (aside || this.#mayGo(id, type === 'subgraph' ? 'child' : 'local')) this.#begin(id);
  }

  #launchOutside(id: number, node: PlannedNode, aside: boolean): void {
    const { graph } = this.#engine.books;
    const fields = graph.fields(id);
    const route = runner.isLocal(node, fields) ? 'local' : 'activity';
    if (aside) this.#send(id, route, fields);
    else if (this.#mayGo(id, route)) this.#dispatch(id, route, fields);
  }

  /**
   * Ends a ready node that would start with what is too old after a halt; says whether it did. `at`: not as of the last resume, but now.
   */
  refuseOld(id: number, at?: number): boolean {
    const { graph, turns } = this.#engine.books;
    const error = turns.of(id).trail === undefined ? graph.oldInput(id, at) : undefined;
    if (error === undefined) return false;
    this.#handOut(id);
    this.#to.settle(id, { kind: 'failed', error, error_type: 'StaleInput' });
    return true;
  }

  /** A local activity gave this. */
  returned({ outputs, duration_ms, ended_at }: Extract<runner.RunOutcome, { kind: 'completed' }>): void {
    this.#budget.returned(outputs, duration_ms, ended_at);
    if (duration_ms !== undefined && ended_at !== undefined) this.#engine.books.clock.local(duration_ms, ended_at);
  }

  /** A short timer ends the workflow task when something is held back, so that signals which came meanwhile are handled first. */
  waitForBoundary(): void {
    if (this.#atBoundary || !this.queue.holds) return;
    this.#atBoundary = true;
    CancellationScope.nonCancellable(() => sleep(1)).then(
      () => {
        this.#atBoundary = false;
        this.#budget.renew();
        this.#engine.look();
        this.queue.release();
        this.#engine.guard(() => {
          this.#engine.pump();
        });
      },
      (error: unknown) => {
        this.#engine.die(error);
      },
    );
  }

  #mayGo(id: number, route: Route): boolean {
    if (route === 'local' && this.#budget.isSpent) this.queue.hold(id);
    else if (route !== 'local' && !this.out.hasRoom) this.queue.queue(id);
    else return true;
    return false;
  }

  /** What one task sends has a limit of the server's: beyond it the next one sends. */
  #dispatch(id: number, route: 'local' | 'activity', fields: Fields): void {
    const verdict = route === 'local' ? 'fits' : this.#load.admit(weightOf(fields));
    if (verdict === 'later') this.queue.hold(id);
    else this.#send(id, route, verdict === 'never' ? undefined : fields);
  }

  /**
   * Nothing starts any more until nothing is out. Where something stays out (a long node, a long back-off, a queue without workers) the
   * rest must not wait for it, so the run goes on for a while and tries again.
   */
  #drain(): void {
    this.#draining = true;
    if (this.out.size === 0) return;
    CancellationScope.nonCancellable(() => sleep(this.#drainMs)).then(
      () => {
        this.#engine.guard(() => {
          this.#engine.look();
          if (this.#length.extend()) this.#draining = false;
          this.#engine.pump();
        });
      },
      (error: unknown) => {
        this.#engine.die(error);
      },
    );
  }

  #handOut(id: number): void {
    const { turns, graph } = this.#engine.books;
    turns.next(id);
    graph.start(id);
    this.#length.started();
  }

  /** Without fields there were too many. */
  #send(id: number, route: 'local' | 'activity', fields: Fields | undefined): void {
    const node = this.#engine.books.graph.node(id);
    this.#handOut(id);
    if (fields === undefined) {
      const error = 'its fields are larger than one workflow task may send';
      this.#to.settle(id, { kind: 'failed', error, error_type: 'InputTooLarge' });
      return;
    }
    const left = this.#timeLeft(id, node);
    if (left !== undefined && left <= 0) {
      this.#to.settle(id, { kind: 'failed', error: 'no end within total_timeout', error_type: 'TimeoutError' });
      return;
    }
    if (route === 'local') this.#budget.started();
    this.out.add(id, route);
    const task = this.#task(id, node, fields);
    const running = route === 'local' ? runner.startPure(task) : runner.startActivity(task, node.task_queue, left);
    const ended = route === 'local' ? this.#locals.begin() : this.#brought;
    running.then(
      (result) => {
        ended(() => {
          this.#settle(id, runner.outcomeOfResult(result));
        });
      },
      (error: unknown) => {
        ended(() => {
          this.#settle(id, runner.outcomeOfError(task, error));
        });
      },
    );
  }

  /** The server brought it. */
  readonly #brought = (end: () => void): void => {
    this.#engine.look();
    end();
  };

  #settle(id: number, outcome: runner.RunOutcome): void {
    this.#engine.guard(() => {
      this.#to.settle(id, outcome);
    });
  }

  #begin(id: number): void {
    const { books, teller } = this.#engine;
    const { now } = books.clock;
    this.#budget.started();
    this.#handOut(id);
    books.first_at.set(id, now);
    teller.started(id);
    const begun = beginControl(books.graph, id, now);
    switch (begun.kind) {
      case 'ended':
        this.#engine.settleWait(id, begun.outcome);
        return;
      case 'loop':
        this.#to.open(id);
        return;
      case 'child':
        this.out.add(id, 'child');
        this.#to.startChild(id, () => this.out.remove(id));
        return;
      case 'waits':
        this.#to.wait(id, begun.wait, begun.reason);
    }
  }

  /** Milliseconds of its `total_timeout`. */
  #timeLeft(id: number, { total_timeout_ms }: PlannedNode): number | undefined {
    if (total_timeout_ms === undefined) return undefined;
    const { books } = this.#engine;
    if (!books.first_at.has(id)) books.first_at.set(id, books.clock.now);
    return deadlineOf(books, id) - books.clock.now;
  }

  #task(id: number, node: PlannedNode, fields: Fields): NodeTask {
    const { input, books } = this.#engine;
    const { context, turns, graph } = books;
    const { dispatch, used, trail } = turns.of(id);
    const isByRun = node.traits.effect === 'trade' && input.orders_by_run === true;
    return {
      ...context,
      workflow_id: input.graph.id,
      ...present({ desk: input.graph.desk, first_run: isByRun ? workflowInfo().firstExecutionRunId : undefined }),
      node_id: node.id,
      node_type: node.type,
      frame: graph.frame(id).path,
      generation: graph.generation(id),
      dispatch,
      used_attempts: used,
      fields,
      ...runner.policyOf(node, fields),
      ...(node.traits.follows === true ? { trail: trailOf(trail, dispatch) } : {}),
    };
  }
}

function trailOf({ memo, lost }: Trail = {}, dispatch: number): OrderTrail {
  return { ...present({ memo }), ...(lost === undefined ? {} : { lost: true }), permits_of: lost ?? dispatch };
}
