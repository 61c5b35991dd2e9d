import { present } from '../../json';
import type { Venues } from '../../venues/venue';
import { defineNode, field, optional, output, type NodeKind } from '../define-node';
import { venueNamed } from '../orders/accounts';
import { freshPrice } from '../orders/prices';

const MOST_BARS = 500;

/** Kinds that read a market. */
export function marketKinds(venues: Venues): readonly NodeKind[] {
  return [candles(venues), ticker(venues)];
}

const market = {
  venue: field.text('Venue profile, such as paper_binance.'),
  symbol: field.text('Market of that venue, such as BTC/BUSD.'),
};

const candles = (venues: Venues): NodeKind =>
  defineNode({
    type: 'candles',
    family: 'market',
    effect: 'read',
    description: 'The last closed one-minute bars of a market, oldest first.',
    example: { type: 'candles', params: { venue: 'recorded_dash', symbol: 'DASH/USDT', limit: 60 } },
    fields: {
      ...market,
      limit: field.integer('How many bars. A recorded market always has 200.', {
        min: 1,
        max: MOST_BARS,
        default: 100,
      }),
    },
    resource_from: 'venue',
    outputs: {
      candles: output('list', 'Bars {open_time_ms, open, high, low, close, volume}, prices as decimal strings.'),
      closes: output('decimals', 'The closing prices alone.'),
      last: output('decimal', 'The last closing price.'),
      time_ms: output('integer', 'When the last bar opened, UTC epoch milliseconds.'),
      count: output('integer', 'How many bars these are.'),
    },
    run: async ({ venue, symbol, limit }) => {
      const bars = await venueNamed(venues, venue).candles(symbol, limit);
      const closes = bars.map((bar) => bar.close);
      const [last, time_ms] = [closes.at(-1), bars.at(-1)?.open_time_ms];
      return { outputs: { candles: bars, closes, last, time_ms, count: bars.length } };
    },
  });

const ticker = (venues: Venues): NodeKind =>
  defineNode({
    type: 'ticker',
    family: 'market',
    effect: 'read',
    description: 'The last price of a market.',
    example: { type: 'ticker', params: { venue: 'paper_binance', symbol: 'BTC/BUSD' }, timeout: 5 },
    fields: {
      ...market,
      max_age: optional(field.duration('Refuses a price older than this, by the venue’s clock, with `StalePrice`.')),
    },
    resource_from: 'venue',
    outputs: {
      last: output(
        'decimal',
        'Last traded price in quote currency; on a recorded market the close of the last closed bar.',
      ),
      time_ms: output('integer', 'When it was traded by the venue’s clock, UTC epoch milliseconds.'),
      age_ms: output('integer', 'How long ago that was by then, by the venue’s clock.'),
      bid: output('decimal', 'Best price somebody buys at; absent where the venue does not say it.'),
      ask: output('decimal', 'Best price somebody sells at; absent where the venue does not say it.'),
      symbol: output('text', 'The market.'),
      venue: output('text', 'The venue profile.'),
    },
    run: async ({ venue, symbol, max_age }) => {
      const { ticker, age_ms } = await freshPrice(venueNamed(venues, venue), symbol, max_age);
      const { last, time_ms, bid, ask } = ticker;
      return { outputs: { last, time_ms, age_ms, ...present({ bid, ask }), symbol, venue } };
    },
  });
