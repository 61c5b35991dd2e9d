/**
 * A graph run in a test, with faked nodes and driven time: no Temporal, no Redis, no waiting. Pure nodes and what happens inside
 * the execution run for real; whatever would touch the world is faked, or the test fails when it starts.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NodeKind } from '../activities/define-node';
import { kindCatalogue, type NodeKinds } from '../activities/kinds';
import { LargeValues } from '../activities/large-values';
import { addKinds } from '../activities/load-kinds';
import { HoldfastError, messageOf } from '../errors';
import { prepareGraph, type GraphSource } from '../graph/prepare';
import type { Failure } from '../graph/scheduler';
import { present } from '../json';
import { withInputs } from '../temporal-client/start-inputs';
import { decided } from '../workflows/control';
import { readDelivery } from '../workflows/mailbox';
import type { NodeState, NodeStatus, RunGraphInput } from '../workflows/messages';
import { DrivenExecution } from './driven-execution';
import type { World } from './attempts';
import { anyItem, Fakes, mistaken, spanMs, type Call, type Fake } from './fakes';
import { MemoryBlobs } from './memory-blobs';
import { Timeline, type Order } from './timeline';

export interface TestGraphOptions {
  /** By key: `price`, in loops and subgraphs `each/price` or `each[1]/price`, of what runs at a halt `on_halt/tell`. */
  readonly nodes?: Readonly<Record<string, Fake>>;
  /** Own kinds, beside those Holdfast ships. */
  readonly kinds?: readonly NodeKind[];
  /** What the execution is started with. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** When it starts; default 2026-01-01T00:00:00Z. */
  readonly now?: string;
  /** What comes first of several things that happen at one instant; default `fifo`. */
  readonly order?: Order;
}

export interface ApproveOptions {
  readonly actor?: string;
  /** What else the actor may be counted as among the approvers. */
  readonly roles?: readonly string[];
  readonly comment?: string;
}

const START = '2026-01-01T00:00:00Z';
const WAITS_OR_ENDED: readonly NodeState[] = ['waiting', 'completed', 'failed', 'skipped'];

/**
 * A graph, or the path of a file with one, ready to run. Throws `FileUnreadable`, `GraphInvalid` with all mistakes, `InputsInvalid`,
 * `KindsInvalid`, and `TestInvalid` for a fake of a node that is not there.
 */
export function testGraph(graph: unknown, options: TestGraphOptions = {}): TestRun {
  const kinds = addKinds(kindCatalogue, options.kinds ?? []);
  const { prepared } = prepareGraph(sourceOf(graph), kinds, { mode: 'paper', sha256 });
  return new TestRun(withInputs(prepared, options.inputs), kinds, options);
}

function sourceOf(graph: unknown): GraphSource {
  if (typeof graph !== 'string') return { document: graph };
  try {
    return { text: readFileSync(graph, 'utf8'), file: graph };
  } catch (error) {
    throw new HoldfastError('FileUnreadable', `${graph} cannot be read: ${messageOf(error)}.`, { file: graph });
  }
}

function counter(): World['count'] {
  const counts = new Map<string, number>();
  return (key, generation) => {
    const count = (counts.get(`${key} ${generation}`) ?? 0) + 1;
    counts.set(`${key} ${generation}`, count);
    return count;
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** One execution under test. Whatever moves it is awaited, and throws `TestInvalid` where the test contradicts the graph. */
export class TestRun {
  readonly #world: World;
  readonly #execution: DrivenExecution;
  #isDriving = false;

  constructor(input: RunGraphInput, kinds: NodeKinds, { nodes = {}, now = START, order = 'fifo' }: TestGraphOptions) {
    const start = Date.parse(now);
    if (Number.isNaN(start)) throw mistaken(`now: ${now} is no instant such as ${START}`);
    const blobs = new MemoryBlobs();
    this.#world = {
      timeline: new Timeline(start, order),
      kinds,
      fakes: new Fakes(nodes, input.graph),
      blobs,
      values: new LargeValues(blobs),
      calls: [],
      count: counter(),
      bodies: [],
    };
    this.#execution = new DrivenExecution(this.#world, { input, execution_id: `exec_${input.graph.id}_test` });
  }

  /** The driven time, ISO 8601 in UTC. */
  get now(): string {
    return new Date(this.#world.timeline.now).toISOString();
  }

  /** What the graph gives so far; complete when it has completed. */
  get outputs(): Readonly<Record<string, unknown>> {
    return this.#world.blobs.read(this.#execution.outputs) as Readonly<Record<string, unknown>>;
  }

  /** The first failure no node handles. */
  get failure(): Failure | undefined {
    return this.#execution.failure;
  }

  get isHalted(): boolean {
    return this.#execution.isHalted;
  }

  /** Every node as `holdfast status` shows it, by key. */
  get nodes(): Readonly<Record<string, NodeStatus>> {
    return Object.fromEntries(this.#execution.nodes);
  }

  /** Throws `TestInvalid` when there is no such node, or its frame has not begun. */
  state(key: string): NodeStatus {
    const status = this.nodes[key];
    if (status === undefined)
      throw mistaken(`there is no node \`${key}\` (yet); there are ${Object.keys(this.nodes).join(', ')}`);
    return status;
  }

  /** The attempts of a node in the order they were made; `each/price` means those of all items. */
  calls(key: string): readonly Call[] {
    return this.#world.calls.filter((call) => call.key === key || anyItem(call.key) === key);
  }

  /** Lets time pass until every node has ended. Returns what the graph gives. Throws `NodeFailed` when a node failed that nobody handles. */
  async completed(): Promise<Readonly<Record<string, unknown>>> {
    await this.#drive(() => this.#execution.isDone);
    const { failure } = this;
    if (failure !== undefined) {
      throw new HoldfastError('NodeFailed', `${failure.node_id}: ${failure.error}`, { ...failure });
    }
    if (this.#execution.wasCancelled) throw new HoldfastError('ExecutionCancelled', 'The execution was cancelled.');
    return this.outputs;
  }

  /** Lets time pass until every node has ended. Returns the failure the execution ends with. */
  async failed(): Promise<Failure> {
    await this.#drive(() => this.#execution.isDone);
    if (this.failure === undefined) throw mistaken('the execution was to fail, and did not');
    return this.failure;
  }

  /** Lets time pass until a node is in one of these states; without any, until it waits or has ended. */
  async until(key: string, ...states: readonly NodeState[]): Promise<NodeStatus> {
    const wanted = states.length > 0 ? states : WAITS_OR_ENDED;
    const reached = () => {
      const status = this.nodes[key];
      return status !== undefined && wanted.includes(status.state);
    };
    await this.#drive(() => reached() || this.#execution.isDone);
    if (!reached()) throw mistaken(`\`${key}\` was to be ${wanted.join(' or ')}, and the execution ended without`);
    return this.state(key);
  }

  /** Lets this much time pass: a number is seconds, or `"500ms"`, `"30s"`, `"5m"`, `"1h"`. */
  async advance(duration: number | string): Promise<void> {
    const ms = spanMs(duration);
    if (ms === undefined) throw mistaken(`${JSON.stringify(duration)} is no duration`);
    const until = this.#world.timeline.now + ms;
    await this.#step(until);
    this.#world.timeline.moveTo(until);
  }

  /** Brings a message, as the signal `deliver` does; one that nobody waits for is kept. */
  async deliver(name: string, payload?: unknown): Promise<void> {
    const delivery = readDelivery(present({ name, payload }));
    const ignored = typeof delivery === 'string' ? delivery : this.#execution.deliver(delivery);
    if (ignored !== undefined) throw mistaken(`the message ${name} is not taken: ${ignored}`);
    await this.#step(this.#world.timeline.now);
  }

  async approve(key: string, options: ApproveOptions = {}): Promise<void> {
    await this.#decide(key, 'approve', options);
  }

  async reject(key: string, options: ApproveOptions = {}): Promise<void> {
    await this.#decide(key, 'reject', options);
  }

  async halt(reason = 'unspecified'): Promise<void> {
    this.#execution.halt(reason);
    await this.#step(this.#world.timeline.now);
  }

  async resume(): Promise<void> {
    this.#execution.resume();
    await this.#step(this.#world.timeline.now);
  }

  async cancel(): Promise<void> {
    this.#execution.cancel();
    await this.#step(this.#world.timeline.now);
  }

  async #decide(key: string, decision: 'approve' | 'reject', options: ApproveOptions): Promise<void> {
    const { actor = 'tester', roles = [], comment } = options;
    const waiting = this.#execution.waitOf(key);
    if (waiting?.wait.kind !== 'approval') throw mistaken(`\`${key}\` waits for no approval`);
    const { approvers } = waiting.wait;
    if (approvers !== undefined && ![actor, ...roles].some((each) => approvers.includes(each))) {
      throw new HoldfastError('Forbidden', `${actor} is not among the approvers of ${key}: ${approvers.join(', ')}.`);
    }
    waiting.end(decided({ decision, actor, now: this.#world.timeline.now, ...present({ comment }) }));
    await this.#step(this.#world.timeline.now);
  }

  /** Throws `TestInvalid` when nothing will ever happen again and the goal is not reached. */
  async #drive(isReached: () => boolean): Promise<void> {
    await this.#step(Infinity, isReached);
    if (isReached()) return;
    throw mistaken(`nothing happens any more: ${this.#execution.waitsFor.join('; ')}`);
  }

  /** Lets happen what happens until then, one thing after the other, or until the goal is reached. */
  async #step(until: number, isReached: () => boolean = () => false): Promise<void> {
    if (this.#isDriving) throw mistaken('it is moved by two at once; await what moves it');
    this.#isDriving = true;
    try {
      this.#execution.pump();
      while (!isReached()) {
        await this.#runBodies();
        if (isReached()) return;
        const act = this.#world.timeline.take(until);
        if (act === undefined) return;
        act();
      }
    } finally {
      this.#isDriving = false;
    }
  }

  async #runBodies(): Promise<void> {
    const { bodies } = this.#world;
    for (let body = bodies.shift(); body !== undefined; body = bodies.shift()) await body();
  }
}
