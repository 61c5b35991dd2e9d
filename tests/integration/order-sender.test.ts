import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OrderDraft } from '../../src/activities/trade';
import { createNodeActivities, type NodeActivity } from '../../src/activities/node-activities';
import type { Settlement } from '../../src/emergency/model';
import type { NodeTask } from '../../src/graph/task';
import { Gate } from '../../src/worker/gate';
import { OrderSender, type VenueExpiry } from '../../src/venues/order-sender';
import { Permit } from '../../src/worker/permit';
import { PermitDesk } from '../../src/worker/permits';
import { AttemptTrade } from '../../src/worker/trade';
import { CountingVenue } from '../support/counting-venue';
import { nodeContext } from '../support/node-context';
import { orderKind } from '../support/order-kind';
import { ScriptedDesk } from '../support/scripted-desk';
import { until } from '../support/until';
import { MemoryBlobs } from '../../src/testing/memory-blobs';
import { tradeSurroundings } from '../support/trade-surroundings';

const draft: OrderDraft = {
  ...{
    account: 'main',
    venue: 'paper',
    symbol: 'BTC/USDT',
    side: 'buy',
    quantity: '1',
    price: '100',
    currency: 'USDT',
  },
};

let venue: CountingVenue;
let sender: OrderSender;
let gate: Gate;
let desk: ScriptedDesk;
let settlements: Settlement[];
let ordinal = 0;

beforeEach(async () => {
  venue = await CountingVenue.listen();
  sender = new OrderSender(venue.origin, { connections: 1 });
  desk = new ScriptedDesk();
  gate = new Gate();
  learn();
  settlements = [];
});
afterEach(async () => {
  await sender.close();
  await venue.close();
});

const learn = () => {
  gate.learn(desk.reading(), gate.ask());
};
function permit(lifetime_ms = 1_000): Permit {
  const permit_id = `p${(ordinal += 1)}`;
  const grant = { permit_id, granted: true, epoch: desk.epoch, lifetime_ms, reduces: false } as const;
  const settle = (settlement: Settlement) => void settlements.push(settlement);
  return new Permit({ ...draft, permit_id, execution_id: 'exec_1' }, grant, performance.now(), { gate, settle });
}
const order =
  (id: string, change: (expiry: VenueExpiry) => VenueExpiry = (expiry) => expiry) =>
  (given: VenueExpiry) => {
    const { timestamp: issued_at, expires_in_ms } = change(given);
    const body = JSON.stringify({ id, scopes: ['global'], issued_at, expires_in_ms });
    return { method: 'POST', path: '/order', body } as const;
  };

describe('the sender of orders', () => {
  it('writes the request, tells the venue until when it counts, and gives back the answer', async () => {
    const granted = permit();
    const ends = Date.now() + granted.remainingMs();
    expect(await sender.send(granted, order('a'))).toEqual({ kind: 'answered', status: 200, body: '{"order_id":"a"}' });
    const [arrival] = venue.accepted();
    expect(arrival?.id).toBe('a');
    const until = (arrival?.issued_at ?? 0) + (arrival?.expires_in_ms ?? 0);
    expect(until).toBeLessThanOrEqual(ends);
    expect(until).toBeGreaterThan(ends - 50);
    expect([granted.isUsed, settlements]).toEqual([true, []]);
  });

  it('makes the last check after it waited for its connection, right before the write', async () => {
    venue.delay_ms = 300;
    const first = sender.send(permit(), order('first'));
    const waiting = sender.send(permit(), order('waiting'));
    await until('the first has arrived', () => venue.arrivals.length === 1);
    desk.halt('global');
    learn();
    const { kind, error } = (await waiting) as { kind: string; error: unknown };
    expect([kind, error]).toEqual(['unsent', expect.objectContaining({ code: 'EmergencyHalted' })]);
    expect(await first).toMatchObject({ kind: 'answered', status: 200 });
    expect(venue.arrivals.map(({ id }) => id)).toEqual(['first']);
    expect(settlements).toEqual([{ permit_id: `p${ordinal}`, outcome: 'unused' }]);
    venue.delay_ms = 0;
    desk.resume('global');
    learn();
    expect(await sender.send(permit(), order('next'))).toMatchObject({ kind: 'answered' });
  });

  it('does not send what has waited longer than its permit lives', async () => {
    venue.delay_ms = 300;
    const first = sender.send(permit(), order('first'));
    const waiting = sender.send(permit(200), order('waiting'));
    expect(await waiting).toMatchObject({ kind: 'unsent', error: { code: 'PermitExpired' } });
    await first;
    expect(venue.arrivals).toHaveLength(1);
  });

  it('never writes the same permit twice', async () => {
    const granted = permit();
    await sender.send(granted, order('a'));
    expect(await sender.send(granted, order('a'))).toMatchObject({ kind: 'unsent', error: { code: 'AlreadyUsed' } });
    expect([venue.arrivals.length, settlements]).toEqual([1, []]);
  });

  it('says unsent when there is nobody to connect to, or when the request cannot be made', async () => {
    const nobody = new OrderSender('http://127.0.0.1:1');
    expect(await nobody.send(permit(), order('a'))).toMatchObject({ kind: 'unsent', error: { code: 'ECONNREFUSED' } });
    await nobody.close();
    const broken = () => {
      throw new Error('no key to sign with');
    };
    expect(await sender.send(permit(), broken)).toMatchObject({ kind: 'unsent' });
    expect(settlements.map(({ outcome }) => outcome)).toEqual(['unused', 'unused']);
  });

  it('says unknown, and does not try again, when the venue takes the order and drops the connection', async () => {
    venue.dropsConnections = true;
    const granted = permit();
    expect(await sender.send(granted, order('a'))).toMatchObject({ kind: 'unknown' });
    expect([venue.accepted().length, settlements]).toEqual([1, []]);
    venue.dropsConnections = false;
    await sender.send(permit(), order('b'));
    expect(venue.arrivals.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('says unknown when the venue does not answer in time', async () => {
    venue.delay_ms = 2_000;
    const impatient = new OrderSender(venue.origin, { answer_within_ms: 100 });
    expect(await impatient.send(permit(), order('a'))).toMatchObject({ kind: 'unknown' });
    await impatient.close();
  });

  it('writes nothing of a refused request, on a connection that was made for it', async () => {
    let bytes = 0;
    let connections = 0;
    const server: Server = createServer((socket) => {
      connections += 1;
      socket.on('data', (data) => (bytes += data.length));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const direct = new OrderSender(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const granted = permit();
    const sent = direct.send(granted, order('a'));
    desk.halt('global');
    learn();
    expect(await sent).toMatchObject({ kind: 'unsent', error: { code: 'EmergencyHalted' } });
    await until('the connection was made', () => connections === 1);
    await direct.close();
    expect(bytes).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });

  it('is backed by the venue: an order that arrives after its expiry is refused there', async () => {
    const late = order('late', (expiry) => ({ ...expiry, timestamp: expiry.timestamp - 2_000 }));
    expect(await sender.send(permit(), late)).toMatchObject({ kind: 'answered', status: 400 });
    expect(venue.accepted()).toEqual([]);
  });
});

describe('a node that trades', () => {
  const run = (rest: Partial<NodeTask> = {}): Promise<unknown> => {
    const permits = new PermitDesk({ port: desk, gate });
    const { test_order } = createNodeActivities([orderKind(sender)], {
      blobs: new MemoryBlobs(),
      log: () => ({ info: () => undefined }),
      openTrade: (attempt) => new AttemptTrade(attempt, tradeSurroundings(permits)),
    }) as { test_order: NodeActivity };
    return test_order({ ...nodeContext().task, bot_id: 'b', ...rest });
  };

  it('asks for a permit, sends its order, and tells the desk how it ended', async () => {
    await run();
    await until('it was settled', () => desk.settlements.length === 2);
    expect(desk.settlements.map(({ outcome }) => outcome)).toEqual(['acknowledged', 'closed']);
    expect(venue.accepted('bot:b')).toHaveLength(1);
    const [request] = desk.batches[0]?.requests ?? [];
    expect(request).toMatchObject({ bot_id: 'b', symbol: 'BTC/USDT', execution_id: nodeContext().task.execution_id });
    expect(request?.purpose).toBeUndefined();
  });

  it('asks under one id per dispatch, and as a node of on_halt says so', async () => {
    for (const rest of [{}, {}, { dispatch: 2 }, { frame: ':on_halt[1]' }]) await run(rest);
    const requests = desk.batches.flatMap((batch) => batch.requests);
    const ids = requests.map(({ permit_id }) => permit_id);
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toBe(ids[1]);
    expect(requests.map(({ purpose }) => purpose)).toEqual([undefined, undefined, undefined, 'on_halt']);
  });

  it('sends nothing when the gate closes between the permit and the write, and says that nothing was sent', async () => {
    const grant = desk.answer.bind(desk);
    desk.answer = (permit_id) => {
      const granted = grant(permit_id);
      desk.halt('bot:b');
      learn();
      return granted;
    };
    const details = { unsent: true, scope: 'bot:b', reason: 'told to', epoch: 1_001 };
    await expect(run()).rejects.toMatchObject({ code: 'EmergencyHalted', details });
    await until('it was settled', () => desk.settlements.length === 1);
    expect(desk.settlements[0]?.outcome).toBe('unused');
    expect(venue.arrivals).toEqual([]);
  });
});
