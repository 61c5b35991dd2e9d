/**
 * Executions that order without pause at a counting venue, by worker processes of their own, and one who halts and resumes them: what
 * tests of halts do their harm to.
 */
import { randomUUID } from 'node:crypto';
import { createKinds } from '../../src/activities/kinds';
import { sha256 } from '../../src/cli/sha256';
import { loadConfig } from '../../src/config/config';
import { closingOf, type Closing } from '../../src/emergency/closing';
import type { CommandAnswer, RaiseCommand } from '../../src/emergency/model';
import type { DeskStatus, ScopeStatus } from '../../src/emergency/status';
import { ClosingPublisher } from '../../src/event-log';
import { prepareGraph } from '../../src/graph/prepare';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { CountingVenue, type OrderArrival } from './counting-venue';
import { orderKinds } from './order-kind';
import { readyDesk } from './ready-desk';
import { answered, until } from './until';
import { WorkerProcess } from './worker-process';
import { testBundle } from './workflow-bundle';

export interface OrderingWorldOptions {
  readonly workers: number;
  /** Servers of its own; by default those of the test run. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Default true. One that is stopped in the middle of a transaction keeps all others from the test run's PGlite for ten seconds, and
   * without a journal nothing is resumed.
   */
  readonly journal?: boolean;
}

export type HaltCommand = RaiseCommand & { readonly action: 'halt' };

/** Instants are milliseconds since 1970, with fractions. */
export interface GivenHalt {
  readonly command: HaltCommand;
  readonly given: number;
  readonly answered: number;
  readonly answer: CommandAnswer;
}

export interface Seal {
  /** By the desk's own clock. */
  readonly at: number;
}

interface Parts {
  readonly startWorker: (environment: Readonly<Record<string, string>>) => Promise<WorkerProcess>;
  readonly client: HoldfastClient;
  readonly closings: ClosingPublisher;
  readonly venue: CountingVenue;
}

/** What closings are signed with here. */
export const CLOSING_KEY = 'a key of the ordering world, 32 characters and more';
const WITHIN_MS = 60_000;
/** Only described here: it is the workers that send. */
const ORDERS = orderKinds({ send: (_permit, _build) => Promise.reject(new Error('not in this process')) });
const KINDS = new Map([...createKinds({ venues: new Map() }), ...ORDERS.map((kind) => [kind.type, kind] as const)]);
const BY = { reason: 'a test of halts', actor: 'commander' } as const;

export class OrderingWorld {
  readonly desk = `orders-${randomUUID()}`;
  readonly client: HoldfastClient;
  readonly closings: ClosingPublisher;
  readonly venue: CountingVenue;
  readonly executions: string[] = [];
  readonly #startWorker: Parts['startWorker'];
  #workers: readonly WorkerProcess[] = [];

  private constructor({ startWorker, client, closings, venue }: Parts) {
    this.#startWorker = startWorker;
    this.client = client;
    this.closings = closings;
    this.venue = venue;
  }

  /** With a desk that is normal, and nothing that orders yet. */
  static async open({
    workers,
    journal = true,
    environment: given = {},
  }: OrderingWorldOptions): Promise<OrderingWorld> {
    const queue = `orders-${randomUUID()}`;
    const environment = {
      ...given,
      HOLDFAST_TASK_QUEUE: queue,
      HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
      HOLDFAST_CLOSING_KEY: CLOSING_KEY,
    };
    const { temporal, redis } = loadConfig({ ...process.env, ...environment });
    const venue = await CountingVenue.listen();
    // One for all, or a workflow that goes on at another worker might find other code there.
    const { codePath } = await testBundle(false);
    const kept = journal ? [] : ['without-journal'];
    const world = new OrderingWorld({
      venue,
      startWorker: (more) => WorkerProcess.start({ ...environment, ...more }, codePath, venue.origin, ...kept),
      client: await HoldfastClient.connect(temporal),
      closings: new ClosingPublisher(redis.url, CLOSING_KEY),
    });
    await Promise.all(Array.from({ length: workers }, () => world.startWorker()));
    await readyDesk(world.client, world.desk);
    return world;
  }

  /** Those that were not killed. */
  get workers(): readonly WorkerProcess[] {
    return this.#workers.filter(({ isGone }) => !isGone);
  }

  /** `environment`: what it is to find elsewhere than the others. */
  async startWorker(environment: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
    const worker = await this.#startWorker(environment);
    this.#workers = [...this.#workers, worker];
    return worker;
  }

  /** Each orders again as soon as its last order has ended. Resolves when as many orders were accepted. */
  async startOrdering(executions: number): Promise<void> {
    const order = this.#orderNode({ quantity: '0.0001', filled: '0' });
    const again = { type: 'repeat', params: { max_iterations: 10_000 }, while: 'true', body: { nodes: { order } } };
    const before = this.venue.accepted().length;
    await Promise.all(Array.from({ length: executions }, () => this.#start({ again })));
    await until('orders flow', () => this.venue.accepted().length >= before + executions, WITHIN_MS);
  }

  /** Each orders so many times, with or without permits. Resolves when all have arrived. */
  async order(executions: number, times: number, type: 'test_order' | 'test_free_order'): Promise<void> {
    const params = type === 'test_order' ? { quantity: '0.0001', filled: '0' } : {};
    const order = { type, params, on_error: 'continue' };
    const again = { type: 'repeat', params: { max_iterations: times }, while: 'true', body: { nodes: { order } } };
    const before = this.venue.arrivals.length;
    await Promise.all(Array.from({ length: executions }, () => this.#start({ again })));
    await until('all have arrived', () => this.venue.arrivals.length >= before + executions * times, WITHIN_MS);
  }

  /** One more execution, of one order. */
  async startOrder(params: Readonly<Record<string, unknown>>): Promise<string> {
    return this.#start({ order: this.#orderNode(params) });
  }

  /** One more execution, of one order that is not sent before `release`. Resolves when it waits. */
  async startHeldOrder(params: Readonly<Record<string, unknown>>): Promise<string> {
    const order = { ...this.#orderNode(params), after: ['go'] };
    const id = await this.#start({ go: { type: 'wait_for_signal', params: { name: 'go' } }, order });
    const waits = async () => (await this.executionStatus(id)).nodes['go']?.state === 'waiting';
    await until('it waits', waits, WITHIN_MS);
    return id;
  }

  async release(execution: string): Promise<void> {
    await answered(() => this.client.deliverMessage(execution, { name: 'go' }));
  }

  /** Resolves when an order that came after the instant was accepted, with when it came. */
  async flowsAfter(instant = now()): Promise<number> {
    const found = await until(
      'orders flow',
      () => this.venue.arrivals.find(({ at, accepted }) => accepted && at > instant),
      WITHIN_MS,
    );
    return found.at;
  }

  /** Resolves when so many orders were accepted from now on. */
  async flowAgain(orders: number): Promise<void> {
    const before = this.venue.accepted().length;
    await until('orders flow again', () => this.venue.accepted().length >= before + orders, WITHIN_MS);
  }

  newHalt(): HaltCommand {
    return { action: 'halt', scope: 'global', command_id: `cmd_${randomUUID()}`, ...BY };
  }

  /** What announces a halt now. */
  closingOf(command: HaltCommand): Closing {
    return closingOf(command, { desk: this.desk, issued_at: Date.now() });
  }

  /** As every commander does it: the gates first, then the command; a Redis that does not take the closing holds up nothing. */
  async halt({ closes = true }: { readonly closes?: boolean } = {}): Promise<GivenHalt> {
    const command = this.newHalt();
    const given = now();
    const closed = closes ? this.closings.publish(this.closingOf(command)).catch(() => 0) : Promise.resolve(0);
    const answer = await this.give(command);
    const answered = now();
    await closed;
    return { command, given, answered, answer };
  }

  /** To the desk alone. */
  async give(command: HaltCommand): Promise<CommandAnswer> {
    return answered(() => this.client.commandDesk(command, this.desk));
  }

  async status(): Promise<DeskStatus> {
    return answered(() => this.client.deskStatus(this.desk));
  }

  async executionStatus(id: string): Promise<ExecutionStatus> {
    return answered(() => this.client.executionStatus(id));
  }

  async scope(wanted = 'global'): Promise<ScopeStatus | undefined> {
    const { scopes } = await this.status();
    return scopes.find(({ scope }) => scope === wanted);
  }

  async sealed(): Promise<Seal> {
    const at = await until('the halt is sealed', async () => (await this.scope())?.sealed_at, WITHIN_MS);
    return { at };
  }

  /** Of the requests that reached the venue since an instant: what must not be, in words. */
  mistakesSince(given: number, { epoch, sealedAt }: { readonly epoch: number; readonly sealedAt: number }): string[] {
    const arrivals = this.venue.arrivals.filter(({ at }) => at > given);
    const late = arrivals.filter(({ at, accepted }) => accepted && at > sealedAt);
    const granted = arrivals.filter((order) => (order.epoch ?? 0) >= epoch);
    return [
      ...late.map(({ at }) => `accepted ${(at - sealedAt).toFixed(1)} ms after the seal`),
      ...granted.map(({ id }) => `the permit of ${id} was granted while halted`),
    ];
  }

  /** How long after an instant the last request reached the venue that came after it; 0 when none did. */
  lastArrivalAfter(instant: number, kept: (order: OrderArrival) => boolean = () => true): number {
    return Math.max(0, ...this.venue.arrivals.filter(kept).map(({ at }) => at - instant));
  }

  async resume(): Promise<void> {
    await answered(() => this.client.resumeDesk(BY, this.desk));
  }

  async close(): Promise<void> {
    await Promise.all(this.executions.map((id) => this.client.cancelExecution(id).catch(() => undefined)));
    await Promise.all(this.workers.map((worker) => worker.kill()));
    this.closings.close();
    await this.client.close();
    await this.venue.close();
  }

  #orderNode(params: Readonly<Record<string, unknown>>) {
    return { type: 'test_order', params, on_error: 'continue', timeout: '10s' };
  }

  async #start(nodes: Readonly<Record<string, unknown>>): Promise<string> {
    const document = { holdfast: 1, id: 'orders', desk: this.desk, nodes };
    const { prepared } = prepareGraph({ document }, KINDS, { mode: 'paper', sha256 });
    const { execution_id } = await this.client.startExecution(prepared);
    this.executions.push(execution_id);
    return execution_id;
  }
}

/** Milliseconds since 1970, with fractions. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
