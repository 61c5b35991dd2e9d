import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decimal, type Decimal } from '../../src/money';
import { booksAsJson, Books } from '../../src/paper-venue/books';
import type { OrderType, TimeInForce } from '../../src/paper-venue/orders';
import { Refusal } from '../../src/paper-venue/refusal';
import { sumOf } from '../../src/paper-venue/steps';
import { marketData, PaperWorld, type BarText, type DraftText } from '../support/paper-market';

const ZERO = decimal('0');
const cents = (n: number): string => decimal(String(n)).div('100').toFixed();
const thousandths = (n: number): string => decimal(String(n)).div('1000').toFixed();

/** A bar between 90 and 110 with its close somewhere within. */
const bars = fc
  .array(fc.tuple(fc.integer({ min: 9_000, max: 11_000 }), fc.integer({ min: 0, max: 500 }), fc.nat(30_000)), {
    minLength: 2,
    maxLength: 12,
  })
  .map((all) =>
    all.map(([close, reach, volume]): BarText => {
      const [low, high, mid] = [cents(close - reach), cents(close + reach), cents(close)];
      return [mid, high, low, mid, thousandths(volume)];
    }),
  );

type Command =
  | { readonly do: 'place'; readonly draft: DraftText }
  | { readonly do: 'cancel'; readonly which: number; readonly late?: number }
  | { readonly do: 'pass'; readonly minutes: number };

const price = fc.integer({ min: 8_900, max: 11_100 }).map(cents);
const quantity = fc
  .oneof(
    { weight: 5, arbitrary: fc.integer({ min: 60, max: 3_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 60_000 }) },
  )
  .map(thousandths);
const side = fc.constantFrom('BUY' as const, 'SELL' as const);
const tif = fc.constantFrom<TimeInForce[]>('GTC', 'IOC', 'FOK');
const draft = (type: OrderType, fields: Record<string, fc.Arbitrary<string>>) =>
  fc.record({ side, type: fc.constant(type), ...fields }) as fc.Arbitrary<DraftText>;
const drafts = fc.oneof(
  draft('MARKET', { quantity, time_in_force: fc.constant('IOC') }),
  draft('MARKET', {
    quote_quantity: fc.integer({ min: 1, max: 900_000 }).map(cents),
    time_in_force: fc.constant('IOC'),
  }),
  draft('LIMIT', { quantity, price, time_in_force: tif }),
  draft('LIMIT_MAKER', { quantity, price }),
  draft('STOP_LOSS', { quantity, stop_price: price, time_in_force: fc.constant('IOC') }),
  draft('STOP_LOSS_LIMIT', { quantity, price, stop_price: price, time_in_force: tif }),
);
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: drafts.map((each): Command => ({ do: 'place', draft: each })) },
    { weight: 1, arbitrary: fc.nat(20).map((which): Command => ({ do: 'cancel', which })) },
    {
      weight: 1,
      arbitrary: fc.record({ which: fc.nat(20), late: fc.nat(3) }).map((each): Command => ({ do: 'cancel', ...each })),
    },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map((minutes): Command => ({ do: 'pass', minutes })) },
  ),
  { minLength: 3, maxLength: 40 },
);

/** What the venue refuses is no failure: it must then have changed nothing. */
function obey(world: PaperWorld, command: Command): void {
  if (command.do === 'pass') {
    world.pass(command.minutes);
    return;
  }
  world.engine.advance(world.now);
  const before = world.kept.length;
  try {
    if (command.do === 'place') world.place(command.draft);
    else {
      const order = world.books.orders[command.which];
      if (order !== undefined) world.engine.cancel(order, world.now, { late_ms: command.late });
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(world.kept).toHaveLength(before);
  }
}

/** What an asset must amount to: what came in, what trades brought and took, and what was charged. */
function owed(world: PaperWorld, asset: string, deposited: string): Decimal {
  const moves = world.books.orders.flatMap(({ accepted }) =>
    world.books.fillsOf(accepted.order_id).map((fill) => {
      const amount = decimal(fill.quantity).times(asset === 'BTC' ? '1' : decimal(fill.price));
      const isIn = (accepted.side === 'BUY') === (asset === 'BTC');
      const fee = fill.commission_asset === asset ? decimal(fill.commission) : ZERO;
      return (isIn ? amount : ZERO.minus(amount)).minus(fee);
    }),
  );
  return sumOf([decimal(deposited), ...moves]);
}

function assertSound(world: PaperWorld): void {
  const { books } = world;
  for (const [asset, side, deposited] of [
    ['USDT', 'BUY', '10000'],
    ['BTC', 'SELL', '50'],
  ] as const) {
    const { free, locked } = books.holding('main', asset);
    const holding = books.orders.filter(({ accepted }) => accepted.side === side).map((order) => order.locked);
    expect(free.gte('0')).toBe(true);
    expect(locked.toFixed()).toBe(sumOf(holding).toFixed());
    expect(free.plus(locked).toFixed()).toBe(owed(world, asset, deposited).toFixed());
  }
  for (const order of books.orders) {
    const isHolding = books.open.includes(order) || order.withheld !== undefined;
    expect(order.locked.gte('0') && (isHolding || order.locked.eq('0'))).toBe(true);
    expect(order.executed.lte(order.quantity)).toBe(true);
    expect(order.status === 'FILLED').toBe(order.status !== 'CANCELED' && order.executed.eq(order.quantity));
  }
}

const worldOf = (all: readonly BarText[]): PaperWorld => new PaperWorld(marketData(all));

describe('the books', () => {
  it('are never short of money, nor lock more or less than orders hold, nor lose or make any', () => {
    let [placed, filled] = [0, 0];
    fc.assert(
      fc.property(bars, commands, (all, given) => {
        const world = worldOf(all);
        for (const command of given) {
          obey(world, command);
          assertSound(world);
        }
        placed += world.books.orders.length;
        filled += world.books.orders.filter(({ executed }) => executed.gt('0')).length;
      }),
      { numRuns: 300 },
    );
    // Commands that the venue refused would prove nothing.
    expect(placed).toBeGreaterThan(500);
    expect(filled).toBeGreaterThan(200);
  });

  it('are the fold of what was kept, as far as it was kept whole', () => {
    fc.assert(
      fc.property(bars, commands, (all, given) => {
        const world = worldOf(all);
        for (const command of given) obey(world, command);
        const read = JSON.parse(JSON.stringify(world.kept)) as typeof world.kept;
        const again = new Books(world.market.data);
        for (const event of read.flat()) again.apply(event);
        expect(booksAsJson(again)).toEqual(booksAsJson(world.books));
        expect([again.nextOrderId, again.nextTradeId]).toEqual([world.books.nextOrderId, world.books.nextTradeId]);
      }),
    );
  });

  it('are the same for the same market, orders and times', () => {
    fc.assert(
      fc.property(bars, commands, (all, given) => {
        const [one, other] = [worldOf(all), worldOf(all)];
        for (const command of given) obey(one, command);
        for (const command of given) obey(other, command);
        expect(one.kept).toEqual(other.kept);
      }),
    );
  });
});

describe('a fill', () => {
  it('has a number of its own, and later ones have higher ones', () => {
    fc.assert(
      fc.property(bars, commands, (all, given) => {
        const world = worldOf(all);
        for (const command of given) obey(world, command);
        const trades = world.kept.flat().flatMap((event) => (event.type === 'filled' ? [event.fill.trade_id] : []));
        expect(trades).toEqual(trades.map((_, index) => index + 1));
      }),
    );
  });

  it('is at the price of its order or better', () => {
    fc.assert(
      fc.property(bars, commands, (all, given) => {
        const world = worldOf(all);
        for (const command of given) obey(world, command);
        for (const { accepted, price: limit } of world.books.orders) {
          for (const fill of world.books.fillsOf(accepted.order_id)) {
            const at = decimal(fill.price);
            if (limit !== undefined) expect(accepted.side === 'BUY' ? at.lte(limit) : at.gte(limit)).toBe(true);
          }
        }
      }),
    );
  });

  it('of resting orders takes together no more of a bar than the share, on each side', () => {
    fc.assert(
      fc.property(bars, commands, (all, given) => {
        const world = worldOf(all);
        for (const command of given) {
          const before = world.kept.length;
          obey(world, command);
          if (command.do !== 'pass') continue;
          const fills = world.kept
            .slice(before)
            .flat()
            .flatMap((event) => (event.type === 'filled' ? [event.fill] : []));
          const late = new Set(
            world.books.orders.filter(({ status }) => status === 'CANCELED').map(({ accepted }) => accepted.order_id),
          );
          const resting = fills.filter(({ maker, order_id }) => maker && !late.has(order_id));
          const most = all
            .map(([, , , , volume]) => decimal(volume))
            .reduce((a, b) => (a.gt(b) ? a : b))
            .times('0.1')
            .times(String(command.minutes));
          for (const asset of ['BTC', 'USDT']) {
            const sum = sumOf(
              resting.filter((fill) => fill.commission_asset === asset).map((fill) => decimal(fill.quantity)),
            );
            expect(sum.lte(most)).toBe(true);
          }
        }
      }),
    );
  });
});
