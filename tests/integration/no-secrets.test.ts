/**
 * Secrets are planted in everything that has one, the venue repeats in its answers whatever it was sent, and afterwards they are looked for
 * in all that was written anywhere.
 */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config/config';
import { HoldfastError } from '../../src/errors';
import { holdfast } from '../support/command-line';
import { recorded } from '../support/binance-answers';
import { BinanceServer, refusal, type Answer, type Arrival } from '../support/binance-server';
import { everyPlace } from '../support/every-place';
import { findSecrets, findSignatures, type Places } from '../support/secret-search';
import { SpokenProcess } from '../support/spoken-process';
import { until } from '../support/until';
import { WholeStack } from '../support/whole-stack';

jest.setTimeout(300_000);

const word = (name: string) => `${name}-${randomBytes(18).toString('hex')}`;
/** What an address writes as it is, so that it can stand in one. */
const PASSWORDS = { redis_password: word('planted.redis'), database_password: word('planted.database') };
const WORDS = { key: word('planted/key+'), secret: word('planted&secret=') };
const KEYS = { jwt_secret: word('planted jwt'), closing_key: word('planted closing') };
/** Nobody keeps it back: it shows that the search would have found the others. */
const DECOY = word('decoy');

const PLACE = { venue: 'scripted', symbol: 'BTC/USDT' };
const GOES_ON = { on_error: 'continue' };
const ONCE = { ...GOES_ON, retry: { max_attempts: 1 }, timeout: '12s' };
const BOT = { bot_id: 'secretive', strategy_id: 'secretive' };

let server: BinanceServer;
let stack: WholeStack;
const heard: string[] = [];
const said: string[] = [];
let subscriber: Redis;

/** What came with a request, each time in another of the ways a careless venue might write it; and the secret, which it might know. */
function echo({ key = '', parameters, path }: Arrival): string {
  const query = new URLSearchParams(parameters).toString();
  const { signature = '' } = parameters;
  const [ofKey, ofSecret] = [Buffer.from(key), Buffer.from(WORDS.secret)];
  // What is cut off at some length must not leave half a word before it.
  const long = '.'.repeat(270);
  const ways = [
    `No key ${key} or ${encodeURIComponent(key)}`,
    `No key ${ofKey.toString('base64')} or ${ofKey.toString('base64url')}`,
    `No key ${ofKey.toString('hex')}`,
    `Bad secret ${WORDS.secret} or ${encodeURIComponent(WORDS.secret)}`,
    `Bad secret ${ofSecret.toString('base64')}`,
    `signature: ${signature}`,
    `${signature.toUpperCase()} is wrong`,
    `/${path}?${query}`,
    `${long}${key}`,
    `${long.slice(20)}${WORDS.secret}`,
    `${long.slice(10)}${signature}`,
  ];
  return ways[server.arrivals.length % ways.length] ?? '';
}

const NOT_THERE = () => refusal(-2013, 'Order does not exist.');
const refusing = (code: number, status?: number) => (arrival: Arrival) => refusal(code, echo(arrival), status);
const html =
  (status: number) =>
  (arrival: Arrival): Answer => ({ status, body: `<html>${echo(arrival)}</html>` });

const placed = (order: Arrival['parameters'], change: object = {}) => ({
  ...{ symbol: 'BTCUSDT', orderId: 7, clientOrderId: order['newClientOrderId'], side: order['side'], type: 'LIMIT' },
  ...{ price: order['price'], origQty: order['quantity'], executedQty: '0', cummulativeQuoteQty: '0', status: 'NEW' },
  ...{ transactTime: Date.now(), time: Date.now(), updateTime: Date.now(), timeInForce: 'GTC' },
  ...change,
});
const filled = (order: Arrival['parameters']) =>
  placed(order, { status: 'FILLED', executedQty: order['quantity'], cummulativeQuoteQty: '100', ...{ fills: FILLS } });
const FILLS = [{ price: '10000', qty: '0.01', commission: '0.1', commissionAsset: 'USDT', tradeId: 1 }];

function heal(): void {
  const balances = [{ asset: 'USDT', free: '1000', locked: '0' }];
  server.answer('GET exchangeInfo', () => ({ body: recorded('exchange-info') }));
  server.answer('GET ticker/24hr', () => ({ body: { symbol: 'BTCUSDT', lastPrice: '10000', closeTime: Date.now() } }));
  server.answer('GET account', () => ({ body: { balances } }));
  server.answer('GET openOrders', () => ({ body: [] }));
  server.answer('GET order', NOT_THERE);
  server.answer('GET myTrades', () => ({ body: FILLS.map((fill) => ({ ...fill, id: 1, orderId: 7 })) }));
  server.answer('POST order', ({ parameters }) => ({ body: filled(parameters) }));
  server.answer('DELETE order', refusing(-2011));
}

const READS = ['GET ticker/24hr', 'GET account', 'GET openOrders', 'GET order', 'GET myTrades'];
const ALL = [...READS, 'GET exchangeInfo', 'POST order', 'DELETE order'];

function everywhere(answer: (arrival: Arrival) => Answer, what: readonly string[] = ALL): void {
  for (const each of what) server.answer(each, answer);
}

const order = { type: 'limit_order', params: { ...PLACE, side: 'buy', quantity: '0.01', price: '10000' }, ...GOES_ON };
const steps = {
  balance: { type: 'balance', params: { venue: 'scripted' }, ...ONCE },
  price: { type: 'ticker', params: PLACE, ...ONCE },
  orders: { type: 'open_orders', params: { venue: 'scripted' }, ...ONCE },
  order,
};

beforeAll(async () => {
  server = await BinanceServer.listen();
  heal();
  // So that the reconciler is refused at its first look.
  everywhere(refusing(-2015, 401));
  stack = await WholeStack.open({
    ...PASSWORDS,
    jwt_secret: KEYS.jwt_secret,
    settings: {
      HOLDFAST_VENUES: JSON.stringify({ scripted: { adapter: 'binance', base_url: server.base_url } }),
      HOLDFAST_VENUE_SCRIPTED_KEY: WORDS.key,
      HOLDFAST_VENUE_SCRIPTED_SECRET: WORDS.secret,
      HOLDFAST_CLOSING_KEY: KEYS.closing_key,
      // Every request is to be made, whatever came of the ones before.
      HOLDFAST_CIRCUIT_BREAKERS: JSON.stringify({ default: { failures: 1_000 } }),
    },
  });
  subscriber = new Redis(stack.parts.redis.url);
  await subscriber.psubscribe('*');
  subscriber.on('pmessage', (_pattern, channel, message) => heard.push(`${channel} ${message}`));
  const bot = { bot_id: 'secretive', name: DECOY, venues: ['scripted'], starting_equity: '1000', time_zone: 'UTC' };
  await stack.command({ action: 'register_bot', bot });
  await until('the reconciler was refused', () => stack.parts.worker.said.includes('account_not_reconciled'));
  heal();
});

afterAll(async () => {
  subscriber.disconnect();
  await stack.close();
  await server.close();
});

/** The states of its nodes. Where the machine is so busy that the desk is late, nothing is sent: then it is run again. */
async function run(): Promise<Readonly<Record<string, string>>> {
  return until(
    'the desk is in time',
    async () => {
      const ended = Object.entries((await stack.run(steps, BOT)).nodes);
      const states = Object.fromEntries(ended.map(([name, { state, error_type }]) => [name, error_type ?? state]));
      return states['order'] !== 'EmergencyUnreachable' && states;
    },
    90_000,
  );
}

describe('a venue that repeats what it was sent', () => {
  it('is traded at, and says nothing of it', async () => {
    expect(await run()).toEqual({ balance: 'completed', price: 'completed', orders: 'completed', order: 'completed' });
  });

  it.each<[string, (arrival: Arrival) => Answer, string]>([
    ['refuses the key', refusing(-2015, 401), 'VenueRefused'],
    ['refuses the signature', refusing(-1022), 'VenueRefused'],
    ['refuses the order', refusing(-2010), 'VenueRefused'],
    ['knows no such market', refusing(-1121), 'DataUnavailable'],
    ['answers 500', refusing(-1000, 500), 'ServiceError'],
    ['answers a page of 502', html(502), 'ServiceError'],
    ['answers a page of 403', html(403), 'RateLimited'],
    ['answers a page of 200', html(200), 'ServiceError'],
    ['asks for silence', refusing(-1003, 429), 'RateLimited'],
    ['says something nobody knows', refusing(-9999), 'ServiceError'],
    ['cuts the connection', () => 'cut', 'ConnectionError'],
    ['says nothing', () => 'silence', 'TimeoutError'],
  ])('%s of everything', async (_, answer, error) => {
    everywhere(answer);
    expect(await run()).toEqual({ balance: error, price: error, orders: error, order: error });
    heal();
    // Silence is kept for a second.
    await until('it can be asked again', async () => (await run())['price'] === 'completed', 60_000);
  });

  it.each<[string, (arrival: Arrival) => Answer, string]>([
    ['refuses the key', refusing(-2015, 401), 'VenueRefused'],
    ['refuses it', refusing(-2010), 'OrderRejected'],
    ['refuses its amounts', refusing(-1013), 'OrderRejected'],
    ['asks for silence', refusing(-1003, 429), 'RateLimited'],
    ['answers 500', refusing(-1000, 500), 'OrderNotPlaced'],
    ['cuts the connection', () => 'cut', 'OrderNotPlaced'],
  ])('%s when the order comes', async (_, answer, error) => {
    server.answer('POST order', answer);
    expect(await run()).toMatchObject({ order: error });
    heal();
  });

  it('does not say what became of an order until the sweeper has asked, too', async () => {
    server.answer('POST order', () => 'cut');
    everywhere(refusing(-1000, 500), ['GET order']);
    const before = server.of('GET order').length;
    const running = run();
    await until('it is asked again and again', () => server.of('GET order').length > before + 14);
    server.answer('GET order', NOT_THERE);
    expect(await running).toMatchObject({ order: 'OrderNotPlaced' });
    heal();
  });
});

describe('an order that rests', () => {
  it('is cancelled by a halt, in spite of a venue that refuses, fails, and repeats what it was sent', async () => {
    let last: Arrival['parameters'] = {};
    let status = 'NEW';
    const now = () => ({ ...placed(last), status, origClientOrderId: last['newClientOrderId'] });
    server.answer('POST order', ({ parameters }) => {
      last = parameters;
      return { body: placed(parameters) };
    });
    server.answer('GET order', () => ({ body: now() }));
    server.answer('GET openOrders', () => ({ body: status === 'NEW' ? [now()] : [] }));
    const id = await stack.start({ order: { ...order, params: { ...order.params, good_for: '1h' } } }, BOT);
    await until('it rests', () => last['newClientOrderId'] !== undefined);
    const failures: ((arrival: Arrival) => Answer)[] = [refusing(-2011), refusing(-1000, 500), () => 'cut', html(502)];
    server.answer('DELETE order', (arrival) => {
      const failure = failures.shift();
      if (failure !== undefined) return failure(arrival);
      status = 'CANCELED';
      return { body: now() };
    });
    await stack.command({ action: 'halt', cancel_open: true, reason: DECOY });
    await until('it is cancelled', () => status === 'CANCELED', 60_000);
    await until('the desk knows', async () => (await stack.parts.client.deskStatus()).open_permits.count === 0, 60_000);
    await stack.parts.client.resumeDesk({ reason: DECOY, actor: 'test' });
    // It goes on, and finds its order cancelled.
    await until('it is closed', async () => (await stack.parts.client.describeExecution(id)).closing, 60_000);
    heal();
  });
});

describe('whoever reaches nobody by what the environment says', () => {
  it('tells why, and keeps the passwords', async () => {
    const wrong = word('planted.wrong');
    const redis = stack.parts.redis.url.replace(PASSWORDS.redis_password, wrong);
    const database = (stack.environment['DATABASE_URL'] ?? '').replace(PASSWORDS.database_password, wrong);
    const environment = {
      ...stack.environment,
      REDIS_URL: redis,
      DATABASE_URL: database,
      HOLDFAST_METRICS_ADDRESS: '',
    };
    const gateway = new SpokenProcess('gateway/main.js', environment);
    await gateway.line('gateway_ready');
    await gateway.line('redis_failing');
    const { url } = await gateway.line('gateway_ready');
    const headers = { authorization: `Bearer ${stack.parts.token}` };
    for (const path of ['/api/orders', '/api/audit', '/readyz'])
      said.push(await (await fetch(`${String(url)}${path}`, { headers })).text());
    await gateway.end();
    said.push(gateway.said);
    expect(gateway.said).toMatch(/WRONGPASS|NOAUTH/);
    expect(findSecrets({ wrong: said.join('\n') }, { wrong })).toEqual([]);
  });

  it.each([
    ['REDIS_URL', (password: string) => `http://:${password}@127.0.0.1:6379`],
    ['REDIS_URL', (password: string) => `redis://:${password}/with/slashes@127.0.0.1:6379`],
    ['REDIS_URL', (password: string) => `redis://:${password}#@127.0.0.1:6379`],
    ['DATABASE_URL', (password: string) => `mysql://root:${password}@127.0.0.1/x`],
    ['DATABASE_URL', (password: string) => `postgresql://root:12/${password}@127.0.0.1/x`],
    ['HOLDFAST_JWT_SECRET', (password: string) => password.slice(0, 31)],
    ['HOLDFAST_CLOSING_KEY', (password: string) => password.slice(0, 31)],
    ['HOLDFAST_VENUE_NOBODY_SECRET', (password: string) => password],
    ['HOLDFAST_VENUE_PAPER_BINANCE_SECRET', (password: string) => password],
    ['HOLDFAST_VENUES', (password: string) => JSON.stringify({ x: { adapter: 'binance', secret: password } })],
    ['HOLDFAST_VENUES', (password: string) => `{"x": "${password}"`],
    [
      'HOLDFAST_VENUES',
      (password: string) => JSON.stringify({ x: { adapter: 'binance', base_url: `http://u:${password}@127.0.0.1` } }),
    ],
  ])('says what is wrong with %s without repeating it', (name, valueOf) => {
    const planted = word('planted.mistake');
    let thrown: unknown;
    try {
      loadConfig({ [name]: valueOf(planted) });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(HoldfastError);
    const words = [String(thrown), JSON.stringify(thrown), inspect(thrown, { depth: 9 }), (thrown as Error).stack].join(
      '\n',
    );
    expect(words).toContain(name.replace(/_SECRET$/, ''));
    expect(findSecrets({ [name]: words }, { planted, most: planted.slice(0, 31) })).toEqual([]);
  });

  it('is told by the command line what answers where, without the passwords', async () => {
    const odd = { DATABASE_URL: `postgresql://127.0.0.1:9/x?user=u&password=${PASSWORDS.database_password}` };
    for (const args of [
      ['doctor', '--json'],
      ['doctor'],
      ['status', '--json'],
      ['status'],
      ['orders', '--json'],
      ['audit', '--json'],
      ['desk', 'status', '--json'],
    ]) {
      for (const environment of [stack.environment, { ...stack.environment, ...odd }]) {
        const { out, err } = await holdfast(args, { environment });
        said.push(`${args.join(' ')}\n${out}\n${err}`);
      }
    }
    expect(said.join('\n')).toMatch(/answers at redis:\/\/127\.0\.0\.1:\d+/);
  });
});

/** Last: of everything the tests before it did. */
describe('everything that was written anywhere', () => {
  let places: Places;
  const keptBack = () => ({ ...PASSWORDS, ...WORDS, ...KEYS, token: stack.parts.token });
  const signatures = () => server.arrivals.flatMap(({ parameters: { signature } }) => signature ?? []);

  beforeAll(async () => {
    const graph = {
      ...{ holdfast: 1, id: 'secretive', name: DECOY, ...BOT },
      nodes: {
        word: { type: 'constant', params: { value: DECOY } },
        tell: { type: 'notify', params: { message: '{{word.value}}' } },
      },
    };
    const headers = { authorization: `Bearer ${stack.parts.token}`, 'content-type': 'application/json' };
    const asked = { method: 'PUT', headers, body: JSON.stringify(graph) };
    const deployed = await fetch(`${stack.parts.url}/api/workflows/secretive`, asked);
    expect([deployed.status, await deployed.text()]).toEqual([200, expect.stringContaining(DECOY)]);
    const { execution_id } = await stack.run(graph.nodes, BOT);
    const isEnd = (each: string) => each.includes(execution_id) && each.includes('execution_completed');
    await until('its end is told', () => heard.some(isEnd), 60_000);
    const others = { 'channels of redis': heard.join('\n'), 'the command line and others': said.join('\n') };
    places = { ...(await everyPlace(stack)), ...others };
  });

  it('was searched: what nobody keeps back is found in all of it', () => {
    const found = findSecrets(places, { decoy: DECOY }).map((each) => each.split(':')[0] ?? '');
    const kinds = new Set(
      found.map((place) =>
        place
          .split(' ')
          .slice(0, place.startsWith('answer') ? 3 : 2)
          .join(' '),
      ),
    );
    const expected = ['log of', 'redis stream', 'redis hash', 'channels of', 'table holdfast.audit', 'the command'];
    for (const kind of expected) expect([...kinds]).toContain(kind);
    expect(found.some((place) => place.startsWith('history exec_'))).toBe(true);
    expect(found.some((place) => place.startsWith('history desk/'))).toBe(true);
    expect(found.some((place) => /^answer to \/api\/executions\/.*\/events/.test(place))).toBe(true);
    expect(found.some((place) => place.startsWith('answer to /api/audit'))).toBe(true);
    expect(Object.keys(places).filter((place) => place.startsWith('table holdfast.')).length).toBeGreaterThan(6);
    expect(places['metrics of the worker']).toContain('temporal_');
  });

  it('holds no key, no secret, no password, no token, and no signature of a request', () => {
    expect(server.arrivals.some(({ key }) => key === WORDS.key)).toBe(true);
    expect(findSecrets(places, keptBack())).toEqual([]);
    expect(signatures().length).toBeGreaterThan(100);
    expect(findSignatures(places, signatures())).toEqual([]);
  });

  it('would have shown one: planted in a line of the log, in an event or in a history, it is found', () => {
    const history = Object.keys(places).find((place) => place.startsWith('history exec_')) ?? '';
    const [signature = ''] = signatures();
    for (const where of ['log of the worker', 'channels of redis', history]) {
      const planted = { [where]: `${places[where] ?? ''}{"error":"refused ${WORDS.key}: ${signature}"}` };
      expect(findSecrets(planted, keptBack())).toContain(`${where}: key as it is`);
      expect(findSignatures(planted, signatures())).toEqual([where]);
    }
  });
});
