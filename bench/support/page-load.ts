/** Events for pages to show, half of them of one execution that never ends, half of others that come and go. They stand in the log alone. */
import { executionEvent, nodeEvent, type ExecutionContext } from '../../src/events/build';
import type { NodeFact, NodeTurn } from '../../src/events/envelope';
import type { Nodes } from './graphs';
import { monotonic } from './monotonic';
import type { PageWorld } from './page-world';

/** A node of the execution that is watched which runs when it is told to. */
export const SENTINEL = 'sentinel';
const NODES = 40;
/** Of each that comes and goes. */
const SHORT = 20;
/** What pages keep: see the store of an execution, and the published client. */
const FULL_EVENTS = 45_000;
const FULL_EXECUTIONS = 1_100;
const TICK_MS = 10;
const STARTED: NodeFact = { type: 'node_started' };
const COMPLETED: NodeFact = { type: 'node_completed', status: 'success', duration_ms: 12, outputs: { value: '101.5' } };

export class PageLoad {
  /** Events a second. */
  rate = 0;
  readonly watched: ExecutionContext;
  readonly #world: PageWorld;
  readonly #timer: NodeJS.Timeout;
  readonly #endless: Generator<undefined, never>;
  readonly #passing: Generator<undefined, never>;
  #due = 0;
  #last = monotonic();
  #told = 0;
  #ofWatched = 0;
  #ended = 0;

  private constructor(world: PageWorld, watched: ExecutionContext) {
    this.#world = world;
    this.watched = watched;
    this.#endless = this.#forEver();
    this.#passing = this.#oneAfterTheOther();
    this.#timer = setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  static async start(world: PageWorld): Promise<PageLoad> {
    const nodes: Nodes = Object.fromEntries([
      ...Array.from({ length: NODES }, (_, at) => [`n${at}`, { type: 'constant', params: { value: at } }]),
      [SENTINEL, { type: 'constant', params: { value: 1 } }],
    ]) as Nodes;
    const load = new PageLoad(world, await world.startUnworked(nodes));
    load.#publish(executionEvent(load.watched, 0, { type: 'execution_started', node_count: NODES + 1 }, Date.now()));
    return load;
  }

  get told(): number {
    return this.#told;
  }

  get isFull(): boolean {
    return this.#ofWatched >= FULL_EVENTS && this.#ended >= FULL_EXECUTIONS;
  }

  sentinel(type: 'node_started' | 'node_completed'): void {
    this.#node(this.watched, { node_id: SENTINEL, generation: 1 }, type === 'node_started' ? STARTED : COMPLETED);
  }

  /** Resolves once nothing waits in this process. */
  settled(): Promise<void> {
    return this.#world.gateway.sent();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.settled();
  }

  /** What a late turn of the timer has left out is told with the next. */
  #tick(): void {
    const now = monotonic();
    this.#due += ((now - this.#last) * this.rate) / 1_000;
    this.#last = now;
    for (; this.#due >= 2; this.#due -= 2) {
      this.#endless.next();
      this.#passing.next();
    }
  }

  *#forEver(): Generator<undefined, never> {
    for (let generation = 1; ; generation += 1) {
      for (let at = 0; at < NODES; at += 1) {
        for (const fact of [STARTED, COMPLETED]) {
          this.#node(this.watched, { node_id: `n${at}`, generation }, fact);
          this.#ofWatched += 1;
          yield undefined;
        }
      }
    }
  }

  *#oneAfterTheOther(): Generator<undefined, never> {
    for (;;) {
      const of = {
        execution_id: `exec_soak_${process.pid}_${this.#ended}`,
        workflow_id: 'soak',
        mode: 'paper',
      } as const;
      this.#publish(executionEvent(of, 0, { type: 'execution_started', node_count: SHORT }, Date.now()));
      yield undefined;
      for (let at = 0; at < SHORT; at += 1) {
        for (const fact of [STARTED, COMPLETED]) {
          this.#node(of, { node_id: `n${at}`, generation: 1 }, fact);
          yield undefined;
        }
      }
      const end = { type: 'execution_completed', status: 'completed', duration_ms: 1 } as const;
      this.#publish(executionEvent(of, 'end', end, Date.now()));
      this.#ended += 1;
      yield undefined;
    }
  }

  #node(of: ExecutionContext, turn: Pick<NodeTurn, 'node_id' | 'generation'>, fact: NodeFact): void {
    this.#publish(
      nodeEvent(of, { ...turn, node_type: 'constant', frame: '', dispatch: 1, attempt: 1 }, fact, Date.now()),
    );
  }

  #publish(publication: Parameters<PageWorld['gateway']['publish']>[0]): void {
    this.#told += 1;
    this.#world.gateway.publish(publication);
  }
}
