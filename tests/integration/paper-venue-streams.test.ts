/** The user data stream of the paper venue, as ccxt's own watching class and a plain WebSocket see it. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket, type ClientOptions } from 'ws';
import type { FaultSettings } from '../../src/paper-venue/faults';
import { startPaperVenue, type PaperVenue } from '../../src/paper-venue/start-paper-venue';
import { paperClient, paperWatcher } from '../support/paper-client';
import { marketData, MINUTE } from '../support/paper-market';
import { until } from '../support/until';

const BTC = 'BTC/USDT';
let venue: PaperVenue;
/** Minutes pass by hand: in the third one the market trades down to 95. */
let minute = 0;
let outsider: ReturnType<typeof paperClient>;

beforeAll(async () => {
  const accounts = [
    { name: 'main', key: 'paper', secret: 'paper' },
    { name: 'second', key: 'k2', secret: 's2', balances: { USDT: '1000' } },
  ];
  const profiles = [{ profile: 'made', market: marketData(), accounts }];
  venue = await startPaperVenue({ profiles, clock: { now: Date.now, market_ms: () => minute * MINUTE } });
  outsider = paperClient(venue.url, 'made');
  await outsider.loadMarkets();
});
afterAll(() => venue.close());
beforeEach(() => {
  minute = 0;
});

const rest = (newClientOrderId: string, price = 96.5) =>
  outsider.createOrder(BTC, 'limit', 'buy', 0.5, price, { newClientOrderId });

async function admin<T>(path: string, body?: object): Promise<T> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${venue.url}/made/admin/${path}`, body === undefined ? {} : post);
  return (await response.json()) as T;
}
const setFaults = (settings: FaultSettings) => admin('faults', settings);
const listeners = async () => (await admin<{ listeners: Record<string, number> }>('streams')).listeners;

describe('ccxt’s watching class, its addresses alone changed', () => {
  let watcher: Awaited<ReturnType<typeof paperWatcher>>;
  beforeEach(async () => {
    watcher = await paperWatcher(venue.url, 'made');
    await watcher.loadMarkets();
  });
  afterEach(async () => {
    await watcher.close();
    await until('nobody listens', async () => (await listeners())['main'] === undefined);
  });

  it('sees an order placed, and filled by a later bar while nobody asks for it', async () => {
    const placed = watcher.watchOrders(BTC);
    await until('it listens', async () => (await listeners())['main'] === 1);
    await rest('watched');
    expect((await placed).at(-1)).toMatchObject({ clientOrderId: 'watched', status: 'open', filled: 0 });
    const filled = watcher.watchOrders(BTC);
    minute = 2;
    expect((await filled).at(-1)).toMatchObject({
      ...{ clientOrderId: 'watched', status: 'closed', filled: 0.5, average: 96.5, cost: 48.25 },
      fee: { cost: 0.0005, currency: 'BTC' },
    });
  });

  it('sees what is held change with a fill, on the same connection', async () => {
    const before = await outsider.fetchBalance();
    const locked = watcher.watchBalance();
    const orders = watcher.watchOrders(BTC);
    await until('it listens', async () => (await listeners())['main'] === 1);
    await rest('held');
    expect((await locked)['USDT']).toMatchObject({ used: 48.25 });
    await orders;
    const filled = watcher.watchBalance();
    minute = 2;
    const { BTC: held, USDT } = await filled;
    expect(held!.free).toBeCloseTo(Number(before['BTC']!.free) + 0.4995, 8);
    expect(USDT!.used).toBe(0);
  });

  it('sees a cancel, and the order it is of', async () => {
    const orders = watcher.watchOrders(BTC);
    await until('it listens', async () => (await listeners())['main'] === 1);
    await rest('taken-back', 90);
    await orders;
    const cancelled = watcher.watchOrders(BTC);
    await outsider.cancelOrder('', BTC, { origClientOrderId: 'taken-back' });
    expect((await cancelled).at(-1)).toMatchObject({ clientOrderId: 'taken-back', status: 'canceled' });
  });
});

/** What a plain client says and hears. */
class Plain {
  readonly heard: Record<string, unknown>[] = [];
  readonly socket: WebSocket;
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) =>
      this.heard.push(JSON.parse((data as Buffer).toString('utf8')) as Record<string, unknown>),
    );
  }

  static async open(options: ClientOptions = {}, path = 'made/ws-api/v3'): Promise<Plain> {
    const socket = new WebSocket(`${venue.url.replace('http', 'ws')}/${path}`, options);
    await once(socket, 'open');
    return new Plain(socket);
  }

  async ask(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = `ask-${(this.#ids += 1)}`;
    this.socket.send(JSON.stringify({ id, method, params }));
    return until('it is answered', () => this.heard.find((each) => each['id'] === id));
  }

  async subscribe(key = 'paper', secret = 'paper'): Promise<Record<string, unknown>> {
    const signer = await paperWatcher(venue.url, 'made', { key, secret });
    return this.ask('userDataStream.subscribe.signature', signer.signParams({}) as object);
  }

  /** Of execution reports: client id and status. */
  get reports(): string[] {
    return this.heard.flatMap(({ event }) => {
      const { e, c, X } = (event ?? {}) as Record<string, string>;
      return e === 'executionReport' ? [`${c} ${X}`] : [];
    });
  }
}

describe('a plain WebSocket', () => {
  let plain: Plain;
  beforeEach(async () => {
    plain = await Plain.open();
  });
  afterEach(async () => {
    plain.socket.terminate();
    await setFaults({ stream_cut: null, stream_hold: null, stream_delay_ms: null, stream_duplicate: null });
    await until('nobody listens', async () => Object.keys(await listeners()).length === 0);
  });

  it('is answered what it asks, and told what it may not', async () => {
    expect(await plain.ask('ping')).toMatchObject({ status: 200, result: {} });
    expect(await plain.ask('time')).toMatchObject({ result: { serverTime: expect.any(Number) as unknown } });
    expect(await plain.ask('order.place')).toMatchObject({ status: 400, error: { code: -1020 } });
    expect(await plain.ask('userDataStream.subscribe.signature')).toMatchObject({ error: { code: -2014 } });
    expect(await plain.subscribe('nobody', 'nobody')).toMatchObject({ status: 401, error: { code: -2015 } });
    expect(await plain.subscribe('paper', 'wrong')).toMatchObject({ status: 400, error: { code: -1022 } });
    const late = { apiKey: 'paper', timestamp: 1, signature: 'x' };
    expect(await plain.ask('userDataStream.subscribe.signature', late)).toMatchObject({ error: { code: -1022 } });
    plain.socket.send('no JSON');
    await until('it is refused', () => plain.heard.some(({ id, status }) => id === null && status === 400));
    const pong = once(plain.socket, 'pong');
    plain.socket.ping();
    await pong;
  });

  it('hears of its own account alone, once for each account, and no more after it has unsubscribed', async () => {
    expect(await plain.subscribe('k2', 's2')).toMatchObject({ result: { subscriptionId: 0 } });
    expect(await plain.subscribe('k2', 's2')).toMatchObject({ error: { code: -2035 } });
    await rest('of-another', 90);
    expect(await plain.subscribe()).toMatchObject({ result: { subscriptionId: 1 } });
    expect(await listeners()).toEqual({ main: 1, second: 1 });
    await rest('own', 90);
    await until('it is told', () => plain.reports.includes('own NEW'));
    expect(plain.heard.find(({ event }) => event !== undefined)).toMatchObject({ subscriptionId: 1 });
    await plain.ask('userDataStream.unsubscribe', { subscriptionId: 1 });
    await rest('after', 90);
    expect(plain.reports).toEqual(['own NEW']);
    await outsider.cancelAllOrders(BTC);
  });

  it('is cut in place of an event, and hears on when it comes back', async () => {
    await plain.subscribe();
    await setFaults({ stream_cut: { next: 1 } });
    const closed = once(plain.socket, 'close');
    await rest('unheard', 90);
    await closed;
    expect(plain.reports).toEqual([]);
    plain = await Plain.open();
    await plain.subscribe();
    await rest('heard', 90);
    await until('it is told', () => plain.reports.length > 0);
    expect(plain.reports).toEqual(['heard NEW']);
    await outsider.cancelAllOrders(BTC);
  });

  it('hears nothing while events are held, and all of them in their order afterwards', async () => {
    await plain.subscribe();
    await setFaults({ stream_hold: true });
    await rest('first', 90);
    await rest('second', 91);
    expect((await plain.ask('ping'))['status']).toBe(200);
    expect(plain.reports).toEqual([]);
    await setFaults({ stream_hold: null });
    await until('it is told', () => plain.reports.length === 2);
    expect(plain.reports).toEqual(['first NEW', 'second NEW']);
    await outsider.cancelAllOrders(BTC);
  });

  it('is refused at any other path, and from a page', async () => {
    const refused = (opening: Promise<unknown>) => opening.catch((error: unknown) => String(error));
    expect(await refused(Plain.open({}, 'made/ws'))).toMatch(/404/);
    expect(await refused(Plain.open({ origin: 'http://127.0.0.1' }))).toMatch(/403/);
  });
});

describe('the end of the venue', () => {
  it('ends the connections that are open', async () => {
    const profiles = [{ profile: 'made', market: marketData() }];
    const other = await startPaperVenue({ profiles });
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/made/ws-api/v3`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await other.close();
    await closed;
  });
});
