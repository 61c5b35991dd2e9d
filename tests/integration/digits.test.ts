/**
 * Amounts of 28 digits and more on their whole way: venue, node, desk, journal, events, REST. What is expected is computed with whole
 * numbers of any length here, never with the code that is tested.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { recordedProfiles } from '../../src/paper-venue/recorded-profiles';
import { startPaperVenue, type PaperVenue } from '../../src/paper-venue/start-paper-venue';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { BinanceServer, type Arrival } from '../support/binance-server';
import { until } from '../support/until';
import { WholeStack } from '../support/whole-stack';

jest.setTimeout(240_000);

const PLACES = 30;
const UNIT = 10n ** 30n;

/** In units of the thirtieth place. */
function units(text: string): bigint {
  const [, sign = '', whole = '', part = ''] = /^(-?)(\d+)(?:\.(\d{1,30}))?$/.exec(text) ?? [];
  return BigInt(`${sign}${whole}${part.padEnd(PLACES, '0')}`);
}

function text(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(PLACES + 1, '0');
  const plain = `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`.replace(/\.?0+$/, '');
  return value < 0n ? `-${plain}` : plain;
}

/** Exact, or the test is wrong. */
function product(a: string, b: string): bigint {
  const exact = units(a) * units(b);
  if (exact % UNIT !== 0n) throw new RangeError(`${a} · ${b} has more than ${PLACES} places`);
  return exact / UNIT;
}

/** Rounded half up to so many places; of what is positive. */
function rounded(numerator: bigint, denominator: bigint, places: number): bigint {
  const scale = 10n ** BigInt(places);
  return ((2n * numerator * scale + denominator) / (2n * denominator)) * 10n ** BigInt(PLACES - places);
}

const HELD = {
  AAA: { free: '1234567890123456789012345.678', locked: '0.000000000000000000000000000001' },
  WIDE: {
    free: '123456789012345678901234567890.123456789012345678901234567891',
    locked: '0.000000000000000000000000000009',
  },
  USDT: { free: '9007199254740993.000000000000000000000000000001', locked: '9007199254740993' },
} as const;

const QUANTITY = '1234567890.123456789012345';
const LIMIT = '9876543.210987654321098';
interface VenueFill {
  readonly price: string;
  readonly qty: string;
  readonly commission: string;
  readonly commissionAsset: string;
}
const BOUGHT: readonly [VenueFill, VenueFill] = [
  {
    ...{ price: LIMIT, qty: '1000000000.000000000000001' },
    ...{ commission: '12345.678901234567890123456789', commissionAsset: 'USDT' },
  },
  {
    ...{ price: '9876543.210987654321001', qty: '234567890.123456789012344' },
    ...{ commission: '0.000000000000123', commissionAsset: 'AAA' },
  },
];
const SOLD: readonly [VenueFill] = [
  {
    ...{ price: '9876599.999999999999999', qty: QUANTITY },
    ...{ commission: '0.000000000000000000000000000001', commissionAsset: 'USDT' },
  },
];

const notionalOf = (fills: readonly VenueFill[]) =>
  fills.reduce((sum, { price, qty }) => sum + product(price, qty), 0n);
const PAID = notionalOf(BOUGHT);
const RECEIVED = notionalOf(SOLD);
const FEES = {
  BUY: units(BOUGHT[0].commission) + product(BOUGHT[1].commission, BOUGHT[1].price),
  SELL: units(SOLD[0].commission),
};
const AVERAGE = rounded(PAID, units(QUANTITY), 20);
const WORTH = rounded(units(QUANTITY) * AVERAGE, UNIT * UNIT, PLACES);

const WITHOUT_LIMITS = { daily_loss: null, max_position_notional: null, max_drawdown_percent: null };
const PLACE = { venue: 'digits', symbol: 'AAA/USDT' };
const ALL = 'trim_scale(filled_quantity)::text AS filled_quantity, filled_notional::text, fees::text, realized::text';

function marketOf(id: string, base: string) {
  const filters = [
    { filterType: 'PRICE_FILTER', tickSize: '0.000000000000001' },
    { filterType: 'LOT_SIZE', stepSize: '0.000000000000001', minQty: '0.000000000000001' },
  ];
  return { symbol: id, status: 'TRADING', baseAsset: base, quoteAsset: 'USDT', filters };
}

function orderAnswer({ parameters }: Arrival, orders: Map<string, Arrival>) {
  const id = parameters['newClientOrderId'] ?? parameters['origClientOrderId'] ?? '';
  const placed = orders.get(id)?.parameters ?? parameters;
  const side = placed['side'] as 'BUY' | 'SELL';
  const fills = fillsOf(side);
  return {
    ...{ symbol: 'AAAUSDT', orderId: side === 'BUY' ? 1 : 2, clientOrderId: id, side, type: 'LIMIT', status: 'FILLED' },
    ...{ price: placed['price'], origQty: placed['quantity'], executedQty: QUANTITY, timeInForce: 'GTC' },
    cummulativeQuoteQty: text(notionalOf(fills)),
    ...{ transactTime: Date.now(), time: Date.now(), updateTime: Date.now() },
    fills: fills.map((fill, tradeId) => ({ ...fill, tradeId })),
  };
}

function fillsOf(side: 'BUY' | 'SELL'): readonly VenueFill[] {
  return side === 'BUY' ? BOUGHT : SOLD;
}

let server: BinanceServer;
let paper: PaperVenue;
let stack: WholeStack;

function teach(): void {
  const orders = new Map<string, Arrival>();
  const balances = Object.entries(HELD).map(([asset, held]) => ({ asset, ...held }));
  server.answer('GET exchangeInfo', () => ({ body: { symbols: [marketOf('AAAUSDT', 'AAA')] } }));
  server.answer('GET ticker/24hr', () => ({
    body: { symbol: 'AAAUSDT', lastPrice: LIMIT, closeTime: Date.now() },
  }));
  server.answer('GET account', () => ({ body: { balances } }));
  server.answer('GET openOrders', () => ({ body: [] }));
  server.answer('POST order', (arrival) => {
    orders.set(arrival.parameters['newClientOrderId'] ?? '', arrival);
    return { body: orderAnswer(arrival, orders) };
  });
  server.answer('GET order', (arrival) => ({ body: orderAnswer(arrival, orders) }));
  server.answer('GET myTrades', ({ parameters: { orderId } }) => ({
    body: fillsOf(orderId === '1' ? 'BUY' : 'SELL').map((fill, id) => ({ ...fill, id, orderId: Number(orderId) })),
  }));
}

const RICH = { BUSD: '1234567890123456789012345.678', BTC: '9876543210987654321.12345678' };
const SPEED = 60;

beforeAll(async () => {
  server = await BinanceServer.listen();
  teach();
  const profiles = await recordedProfiles(join(__dirname, '../../examples/data'), SPEED);
  const main = { name: 'main', key: 'paper', secret: 'paper', balances: RICH };
  paper = await startPaperVenue({
    profiles: profiles.map((each) => (each.profile === 'paper_binance' ? { ...each, accounts: [main] } : each)),
  });
  stack = await WholeStack.open({
    settings: {
      HOLDFAST_VENUES: JSON.stringify({ digits: { adapter: 'binance', base_url: server.base_url } }),
      HOLDFAST_PAPER_VENUE_URL: paper.url,
      HOLDFAST_REPLAY_SPEED: String(SPEED),
    },
  });
  await stack.command({ action: 'set_limits', limits: WITHOUT_LIMITS });
});

afterAll(async () => {
  await stack.close();
  await paper.close();
  await server.close();
});

type Outputs = Readonly<Record<string, unknown>>;

function outputsOf({ nodes, error }: ExecutionStatus, node: string): Outputs {
  expect([nodes[node]?.state, nodes[node]?.error ?? error]).toEqual(['completed', undefined]);
  return nodes[node]?.outputs as Outputs;
}

async function eventsOf(id: string): Promise<readonly Outputs[]> {
  return (await stack.json<{ events: readonly Outputs[] }>(`/api/executions/${id}/events`)).events;
}

const order = (side: 'buy' | 'sell', price: string) => ({
  type: 'limit_order',
  params: { ...PLACE, side, quantity: QUANTITY, price },
});

interface OrderRow extends Outputs {
  readonly fills: readonly Outputs[];
}

const orderOf = (id: unknown) =>
  until('the journal has the fill', async () => {
    const row = await stack.json<OrderRow>(`/api/orders/${String(id)}`);
    return row['status'] === 'filled' && row;
  });

const rowsOf = (id: unknown) =>
  stack.parts.postgresql.sql(`
    SELECT ${ALL}, trim_scale(quantity)::text AS quantity, price::text FROM holdfast.orders WHERE client_order_id = '${String(id)}'`);

describe('balances of 28 digits and more', () => {
  it('are read as the venue wrote them, and added up to the last digit', async () => {
    const status = await stack.run({ all: { type: 'balance', params: { venue: 'digits' } } });
    const total = ({ free, locked }: { free: string; locked: string }) => text(units(free) + units(locked));
    const expected = Object.entries(HELD).map(([asset, held]) => [asset, { ...held, total: total(held) }] as const);
    expect(outputsOf(status, 'all')).toEqual({ assets: Object.fromEntries(expected) });
    const told = (await eventsOf(status.execution_id)).find(({ type }) => type === 'node_completed');
    expect(told?.['outputs']).toEqual({ assets: Object.fromEntries(expected) });
  });

  it('are refused where the venue writes one as a number, which has been through floating point by then', async () => {
    const body = '{"balances":[{"asset":"AAA","free":1234567890123456789012345.678,"locked":"0"}]}';
    server.answer('GET account', () => ({ body }));
    const { nodes } = await stack.run({
      all: { type: 'balance', params: { venue: 'digits' }, retry: { max_attempts: 1 }, on_error: 'continue' },
    });
    expect(nodes['all']).toMatchObject({ state: 'failed', error_type: 'ServiceError' });
    teach();
  });
});

describe('an order of 25 digits at a price of 22, worth 47', () => {
  let bought: ExecutionStatus;
  beforeAll(async () => {
    bought = await stack.run({ buy: order('buy', LIMIT) }, { strategy_id: 'digits' });
  });
  const idOf = (status: ExecutionStatus, node: string) => outputsOf(status, node)['client_order_id'];

  it('reaches the venue digit by digit, and its fills come back so', () => {
    const [sent] = server.of('POST order');
    expect(sent?.parameters).toMatchObject({ quantity: QUANTITY, price: LIMIT });
    expect(outputsOf(bought, 'buy')).toMatchObject({
      ...{ quantity: QUANTITY, filled_quantity: QUANTITY, filled_notional: text(PAID), fees: text(FEES.BUY) },
      average_price: text(rounded(PAID, units(QUANTITY), 12)),
    });
  });

  it('is held at the desk for exactly what was paid', async () => {
    const position = {
      ...{ symbol: 'AAA/USDT', quantity: QUANTITY, cost: text(PAID) },
      ...{ price: text(AVERAGE), notional: text(WORTH), unrealized: '0' },
    };
    const { positions } = await stack.json<{ positions: Outputs[] }>('/api/positions');
    expect(positions.filter(({ venue }) => venue === 'digits')).toMatchObject([position]);
    const { scopes } = await stack.parts.client.deskFigures();
    expect(scopes.find(({ scope }) => scope === 'venue:digits')).toMatchObject({
      exposure: text(WORTH),
      fees: text(FEES.BUY),
    });
  });

  it('stands in the journal, over REST and in its events with every digit', async () => {
    const id = idOf(bought, 'buy');
    const filled = { filled_quantity: QUANTITY, filled_notional: text(PAID), fees: text(FEES.BUY) };
    const row = await orderOf(id);
    expect(row).toMatchObject({ ...filled, quantity: QUANTITY, price: LIMIT, realized: null });
    expect(row.fills).toMatchObject([
      { quantity: QUANTITY, notional: text(PAID), fees: text(FEES.BUY), filled_quantity: QUANTITY },
    ]);
    expect(await rowsOf(id)).toEqual([{ ...filled, quantity: QUANTITY, price: LIMIT, realized: null }]);
    const told = await until('the event of the fill', async () =>
      (await eventsOf(bought.execution_id)).find(({ type }) => type === 'order_filled'),
    );
    expect(told['order']).toMatchObject({ ...filled, quantity: QUANTITY, price: LIMIT });
    await until('the series of the position', async () => {
      const series = await stack.parts.postgresql.sql(
        "SELECT quantity::text, cost::text, price::text FROM holdfast.positions WHERE venue = 'digits'",
      );
      return series.some(
        ({ quantity, cost, price }) => quantity === QUANTITY && cost === text(PAID) && price === text(AVERAGE),
      );
    });
  });

  it('realises exactly what is received less what was paid when all of it is sold', async () => {
    const sold = await stack.run({ sell: order('sell', '9876000.000000000000001') }, { strategy_id: 'digits' });
    const realized = text(RECEIVED - PAID);
    const id = idOf(sold, 'sell');
    const row = await orderOf(id);
    expect(row).toMatchObject({ filled_notional: text(RECEIVED), fees: text(FEES.SELL), realized, reduces: true });
    expect(await rowsOf(id)).toMatchObject([{ filled_notional: text(RECEIVED), fees: text(FEES.SELL), realized }]);
    const { metrics } = await stack.json<{ metrics: Outputs }>('/api/strategies/digits/performance');
    expect(metrics).toMatchObject({ realized_pnl: realized, fees: text(FEES.BUY + FEES.SELL), orders: 2, fills: 2 });
    const { positions } = await stack.json<{ positions: Outputs[] }>('/api/positions');
    expect(positions.filter(({ venue }) => venue === 'digits')).toEqual([]);
  });
});

describe('an account of 28 digits at the paper venue', () => {
  it('has after an order exactly what it had, and what the fills moved', async () => {
    const balance = { type: 'balance', params: { venue: 'paper_binance' } };
    const place = { venue: 'paper_binance', symbol: 'BTC/BUSD' };
    const buy = { type: 'market_order', params: { ...place, side: 'buy', quantity: '0.01234' }, after: ['before'] };
    const status = await stack.run({ before: balance, buy, after: { ...balance, after: ['buy'] } });
    const assets = (node: string) => outputsOf(status, node)['assets'] as Record<string, { total: string }>;
    expect([assets('before')['BUSD']?.total, assets('before')['BTC']?.total]).toEqual([RICH.BUSD, RICH.BTC]);
    const answer = await fetch(`${paper.url}/paper_binance/admin/books`);
    const { fills } = (await answer.json()) as {
      fills: readonly { price: string; quantity: string; commission: string; commission_asset: string }[];
    };
    const paid = fills.reduce((sum, { price, quantity }) => sum + product(price, quantity), 0n);
    const got = fills.reduce((sum, { quantity, commission }) => sum + units(quantity) - units(commission), 0n);
    expect(fills.map(({ commission_asset }) => commission_asset)).toEqual(fills.map(() => 'BTC'));
    expect(assets('after')['BUSD']?.total).toBe(text(units(RICH.BUSD) - paid));
    expect(assets('after')['BTC']?.total).toBe(text(units(RICH.BTC) + got));
    expect(outputsOf(status, 'buy')).toMatchObject({ filled_quantity: '0.01234', filled_notional: text(paid) });
  });
});
