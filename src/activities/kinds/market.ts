import { HoldfastError } from '../../errors';
import type { Venue, Venues } from '../../venues/venue';
import { defineNode, field, output, type NodeKind } from '../define-node';

const MOST_BARS = 500;

/** Kinds that read a market. */
export function marketKinds(venues: Venues): readonly NodeKind[] {
  return [candles(venues), ticker(venues)];
}

/** The venue of a profile. Throws `DataUnavailable` naming the profiles there are. */
export function venueNamed(venues: Venues, profile: string): Venue {
  const venue = venues.get(profile);
  if (venue !== undefined) return venue;
  const known = [...venues.keys()];
  throw new HoldfastError('DataUnavailable', `There is no venue ${profile}; there are ${known.join(', ') || 'none'}.`, {
    venue: profile,
    known,
  });
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
    fields: market,
    resource_from: 'venue',
    outputs: {
      last: output(
        'decimal',
        'Last traded price in quote currency; on a recorded market the close of the last closed bar.',
      ),
      time_ms: output('integer', 'When it was traded by the venue’s clock, UTC epoch milliseconds.'),
      symbol: output('text', 'The market.'),
      venue: output('text', 'The venue profile.'),
    },
    run: async ({ venue, symbol }) => {
      const { last, time_ms } = await venueNamed(venues, venue).ticker(symbol);
      return { outputs: { last, time_ms, symbol, venue } };
    },
  });
