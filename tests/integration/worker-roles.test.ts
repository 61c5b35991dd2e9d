import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { orderRequest } from '../support/desk-at-work';
import { OrderingWorld, now } from '../support/ordering-world';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { SpokenProcess } from '../support/spoken-process';
import { answered, until } from '../support/until';
import type { WorkerProcess } from '../support/worker-process';

jest.setTimeout(240_000);

const WITHIN_MS = 90_000;
const EXECUTIONS = 2;
const serving = (role: 'graphs' | 'desk') => ({ HOLDFAST_WORKER_SERVES: role });

describe('a worker of executions and one of the desk, each a process of its own', () => {
  let redis: OwnRedis;
  let world: OrderingWorld;
  let desk: WorkerProcess;
  let graphs: WorkerProcess;

  const arrivalsOf = (symbol: string) =>
    world.venue.arrivals.filter(({ scopes }) => scopes.includes(`symbol:${symbol}`));
  const arrivalOf = (symbol: string) => until(`an order of ${symbol} arrives`, () => arrivalsOf(symbol)[0], WITHIN_MS);
  const orderNode = async (execution: string) => (await world.executionStatus(execution)).nodes['order'];
  const haltOfDesk = () =>
    until(
      'the desk is halted',
      async () => {
        const scope = await world.scope();
        return scope?.state === 'halt' && scope;
      },
      WITHIN_MS,
    );

  beforeAll(async () => {
    redis = await startOwnRedis();
    const environment = { REDIS_URL: redis.url, ...serving('desk') };
    world = await OrderingWorld.open({ workers: 1, journal: false, environment });
    const [first] = world.workers;
    desk = first!;
    graphs = await world.startWorker(serving('graphs'));
    await world.startOrdering(EXECUTIONS);
  });
  afterAll(async () => {
    await world.close();
    await redis.stop();
  });

  it('order by the one, with permits of the other', () => {
    expect(new Set(world.venue.accepted().map(({ pid }) => pid))).toEqual(new Set([graphs.pid]));
  });

  it('goes on commanding and permitting while the one of executions is gone, and finds out what became of its order', async () => {
    await world.startOrder({ symbol: 'LEFT/USDT', quantity: '3', filled: '1', answer_after_ms: 60_000 });
    await arrivalOf('LEFT/USDT');
    await graphs.kill();

    const permits = await answered(() => {
      const id = `permit_${randomUUID()}`;
      const request = { ...orderRequest(id, { symbol: 'OTHER/USDT' }), client_order_id: id };
      return world.client.requestPermits({ requests: [request], settlements: [] }, world.desk);
    });
    expect(permits).toEqual([expect.objectContaining({ granted: true })]);
    const halt = await world.halt();
    expect(halt.answer).toMatchObject({ ok: true, state: 'halt' });
    // Nobody but the desk's own worker can have asked the venue of the one, and waited for the end of the other.
    await until('all permits have ended', async () => (await world.status()).open_permits.count === 0, WITHIN_MS);
    expect(await world.scope('symbol:LEFT/USDT')).toMatchObject({ held: '100', reserved: '0', open_orders: 0 });
    const { at: sealedAt } = await world.sealed();
    expect(world.mistakesSince(halt.given, { epoch: halt.answer.epoch, sealedAt })).toEqual([]);

    await world.resume();
    graphs = await world.startWorker(serving('graphs'));
    await world.flowsAfter();
  });

  it('gets no permit while the one of the desk is gone, and a halt of that time closes its gates at once and holds', async () => {
    const [unanswered, closed] = await Promise.all([
      world.startHeldOrder({ symbol: 'UNANSWERED/USDT' }),
      world.startHeldOrder({ symbol: 'CLOSED/USDT' }),
    ]);
    await desk.kill();

    await world.release(unanswered);
    const refusal = await until(
      'its order was refused',
      async () => {
        const node = await orderNode(unanswered);
        return node !== undefined && (node.state === 'failed' || node.dispatch > 1) && node;
      },
      WITHIN_MS,
    );
    // Its gate stays open as it was, unless this machine stood still for the three seconds after which it has missed too much.
    if (refusal.state === 'failed') expect(refusal.error_type).toBe('EmergencyUnreachable');
    expect(arrivalsOf('UNANSWERED/USDT')).toEqual([]);

    const command = world.newHalt();
    expect(await world.closings.publish(world.closingOf(command))).toBe(1);
    const given = now();
    await world.client.raiseAtDesk(command, world.desk);
    await world.release(closed);
    const refused = async () => ((await orderNode(closed))?.dispatch ?? 0) > 1;
    await until('a gate has refused its order', refused, WITHIN_MS);

    desk = await world.startWorker(serving('desk'));
    const { causes, epoch } = await haltOfDesk();
    expect(causes).toMatchObject([{ reason: command.reason, actor: command.actor }]);
    const isHalted = async () => (await world.executionStatus(closed)).state === 'halted';
    await until('the execution knows of the halt', isHalted, WITHIN_MS);
    const { at: sealedAt } = await world.sealed();
    expect(world.mistakesSince(given, { epoch, sealedAt })).toEqual([]);
    expect(arrivalsOf('CLOSED/USDT')).toEqual([]);

    await world.resume();
    await world.flowsAfter();
  });
});

describe('a released worker', () => {
  const started: SpokenProcess[] = [];

  /** Which files it has loaded once it polls. */
  async function loadedBy(role: 'graphs' | 'desk'): Promise<{ loaded: string; worker: SpokenProcess }> {
    const queue = `roles-${randomUUID()}`;
    const worker = new SpokenProcess('worker/main.js', {
      ...{ HOLDFAST_TASK_QUEUE: queue, HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`, ...serving(role) },
      NODE_OPTIONS: `--require ${join(__dirname, '../support/tell-modules.cjs')}`,
    });
    started.push(worker);
    const { task_queues } = await worker.line('worker_ready');
    expect(task_queues).toEqual([role === 'graphs' ? queue : `${queue}-desk`]);
    worker.signal('SIGUSR2');
    const { loaded } = await worker.line('modules');
    return { loaded: (loaded as string[]).join('\n'), worker };
  }

  afterAll(async () => {
    await Promise.all(started.map((each) => each.kill()));
  });

  it('of executions alone has loaded neither the desk’s part nor the journal', async () => {
    const { loaded } = await loadedBy('graphs');
    expect(loaded).toMatch(/worker.graph-worker\.js/);
    expect(loaded).not.toMatch(
      /worker.desk-(worker|outside|activities)\.js|journal.journal\.js|node_modules.(pg|ccxt)\b/,
    );
  });

  it('of the desk alone has loaded neither the nodes’ part nor a node kind, and takes its leave in peace', async () => {
    const { loaded, worker } = await loadedBy('desk');
    expect(loaded).toMatch(/worker.desk-worker\.js/);
    expect(loaded).not.toMatch(
      /worker.(graph-worker|node-interceptor)\.js|activities.kinds|node_modules.trading-signals\b/,
    );
    expect(await worker.end()).toBe(0);
  });

  it('says in one sentence what it may serve, and does not start', async () => {
    const worker = new SpokenProcess('worker/main.js', { HOLDFAST_WORKER_SERVES: 'desks' });
    started.push(worker);
    await until('it has ended', () => worker.isGone, WITHIN_MS);
    expect(worker.said.trim().split('\n').at(-1)?.trim()).toBe(
      'HOLDFAST_WORKER_SERVES: must be graphs, desk or graphs,desk',
    );
  });
});
