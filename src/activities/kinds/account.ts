import { present } from '../../json';
import { decimal, formatDecimal } from '../../money';
import type { Balance, VenueOrder, Venues } from '../../venues/venue';
import { defineNode, field, optional, output, type NodeKind } from '../define-node';
import { accountAt } from '../orders/accounts';
import { ageOf, assertFresh } from '../orders/prices';

/** Kinds that read a book, or an account. */
export function accountKinds(venues: Venues): readonly NodeKind[] {
  return [orderBook(venues), balance(venues), positions(venues), openOrders(venues)];
}

const MOST_LEVELS = 100;
const MOST_SYMBOLS = 50;
const BPS_PLACES = 8;

const read = { family: 'market', effect: 'read', resource_from: 'venue' } as const;
const venueField = field.text('Venue profile with an account.');

const orderBook = (venues: Venues): NodeKind =>
  defineNode({
    ...read,
    type: 'order_book',
    description: 'The best prices of a market and what stands there.',
    example: { type: 'order_book', params: { venue: 'paper_bybit', symbol: 'BTC/USDT', levels: 5 } },
    fields: {
      venue: venueField,
      symbol: field.text('Market of that venue.'),
      levels: field.integer('How many prices of each side.', { min: 1, max: MOST_LEVELS, default: 20 }),
      max_age: optional(field.duration('Refuses a book older than this, by the venue’s clock, with `StalePrice`.')),
    },
    outputs: {
      bid: output('decimal', 'Best price somebody buys at.'),
      ask: output('decimal', 'Best price somebody sells at.'),
      mid: output('decimal', 'Half way between them.'),
      spread_bps: output('decimal', '(ask − bid) / mid · 10⁴.'),
      bids: output('list', 'Levels {price, quantity}, best first.'),
      asks: output('list', 'Levels {price, quantity}, best first.'),
      time_ms: output(
        'integer',
        'When the book stood so, or was read where the venue does not say; epoch milliseconds.',
      ),
    },
    run: async ({ venue: profile, symbol, levels, max_age }) => {
      const { venue, trading } = accountAt(venues, profile);
      const { bids, asks, time_ms } = await trading.orderBook(symbol, levels);
      assertFresh({ venue: profile, symbol, age_ms: ageOf(venue, time_ms) }, max_age);
      return { outputs: { ...bestOf(bids[0]?.price, asks[0]?.price), bids, asks, time_ms } };
    },
  });

function bestOf(bid: string | undefined, ask: string | undefined) {
  if (bid === undefined || ask === undefined) return present({ bid, ask });
  const mid = decimal(bid).plus(decimal(ask)).times('0.5');
  const bps = decimal(ask).minus(decimal(bid)).times('10000').div(mid);
  return { bid, ask, mid: formatDecimal(mid), spread_bps: formatDecimal(bps, BPS_PLACES) };
}

const balance = (venues: Venues): NodeKind =>
  defineNode({
    ...read,
    type: 'balance',
    description: 'What an account holds, of one currency or of all.',
    example: { type: 'balance', params: { venue: 'paper_bybit', asset: 'USDT' } },
    fields: { venue: venueField, asset: optional(field.text('Currency, such as USDT; by default all.')) },
    outputs: {
      free: output('decimal', 'Of the currency asked for: what no open order holds. Absent where none is.'),
      locked: output('decimal', 'Of the currency asked for: held by open orders. Absent where none is.'),
      total: output('decimal', 'Of the currency asked for: both. Absent where none is.'),
      assets: output('object', 'By currency: {free, locked, total}.'),
    },
    run: async ({ venue, asset }) => {
      const all = await accountAt(venues, venue).trading.balances();
      const meant = asset === undefined ? all : [all.find((each) => each.asset === asset) ?? nothingOf(asset)];
      const assets = Object.fromEntries(meant.map((each) => [each.asset, withTotal(each)]));
      return { outputs: { ...(asset === undefined ? {} : assets[asset]), assets } };
    },
  });

const positions = (venues: Venues): NodeKind =>
  defineNode({
    ...read,
    type: 'positions',
    description: 'What an account holds of the base currencies of some markets, whoever bought it.',
    example: { type: 'positions', params: { venue: 'paper_bybit', symbols: ['BTC/USDT'] } },
    fields: { venue: venueField, symbols: field.names('Markets of that venue.', { max: MOST_SYMBOLS }) },
    outputs: {
      positions: output('list', 'One for each market: {symbol, asset, free, locked, total}.'),
      assets: output('object', 'By base currency: {free, locked, total}.'),
    },
    run: async ({ venue, symbols }) => {
      const { trading } = accountAt(venues, venue);
      const [all, markets] = await Promise.all([
        trading.balances(),
        Promise.all(symbols.map((symbol) => trading.market(symbol))),
      ]);
      const held = markets.map(({ symbol, base: asset }) => {
        const found = all.find((each) => each.asset === asset) ?? nothingOf(asset);
        return { symbol, asset, ...withTotal(found) };
      });
      const assets = held.map(({ asset, free, locked, total }) => [asset, { free, locked, total }] as const);
      return { outputs: { positions: held, assets: Object.fromEntries(assets) } };
    },
  });

const openOrders = (venues: Venues): NodeKind =>
  defineNode({
    ...read,
    type: 'open_orders',
    description: 'The open orders of an account, whoever sent them.',
    example: { type: 'open_orders', params: { venue: 'paper_bybit', symbol: 'BTC/USDT' } },
    fields: { venue: venueField, symbol: optional(field.text('Market of that venue; by default all.')) },
    outputs: {
      orders: output(
        'list',
        'Each {client_order_id, venue_order_id, symbol, side, type, quantity, filled_quantity, price, stop_price}.',
      ),
      count: output('integer', 'How many there are.'),
    },
    run: async ({ venue, symbol }) => {
      const open = await accountAt(venues, venue).trading.openOrders(symbol);
      return { outputs: { orders: open.map(shown), count: open.length } };
    },
  });

function shown(order: VenueOrder) {
  const { client_order_id, venue_order_id, symbol, side, type, quantity, filled_quantity, price, stop_price } = order;
  const named = { client_order_id, venue_order_id, symbol, side, type, quantity, filled_quantity };
  return { ...named, ...present({ price, stop_price }) };
}

function nothingOf(asset: string): Balance {
  return { asset, free: '0', locked: '0' };
}

function withTotal({ free, locked }: Balance) {
  return { free, locked, total: formatDecimal(decimal(free).plus(decimal(locked))) };
}
