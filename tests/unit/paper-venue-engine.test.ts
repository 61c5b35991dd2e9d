import { describe, expect, it } from '@jest/globals';
import { booksAsJson, Books } from '../../src/paper-venue/books';
import { Engine } from '../../src/paper-venue/engine';
import { Market } from '../../src/paper-venue/market';
import { marketData, PaperWorld, type BarText, type DraftText } from '../support/paper-market';

const code = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return `${code} ${message}`;
  }
  return 'accepted';
};

describe('a market order', () => {
  it('takes the best levels at once and pays its commission in what it receives', () => {
    const world = new PaperWorld();
    const order = world.place({ client_order_id: 'a', type: 'MARKET', time_in_force: 'IOC', quantity: '0.6' });
    expect(order.status).toBe('FILLED');
    expect(world.fills('a')).toEqual(['100.01×0.5', '100.02×0.1']);
    expect(world.holding('BTC')).toBe('50.5988 0');
    expect(world.holding('USDT')).toBe('9939.993 0');
  });

  it('sells to the bids and pays in quote currency', () => {
    const world = new PaperWorld();
    world.place({ client_order_id: 'a', side: 'SELL', type: 'MARKET', time_in_force: 'IOC', quantity: '0.5' });
    expect(world.fills('a')).toEqual(['99.99×0.5']);
    expect(world.holding('BTC')).toBe('49.5 0');
    expect(world.holding('USDT')).toBe('10049.89501 0');
  });

  it('buys for an amount of quote currency as many steps as it pays for', () => {
    const world = new PaperWorld();
    const order = world.place({ client_order_id: 'a', type: 'MARKET', time_in_force: 'IOC', quote_quantity: '30' });
    expect([order.status, order.quantity.toFixed()]).toEqual(['FILLED', '0.299']);
  });

  it('expires with what the book did not give', () => {
    const world = new PaperWorld();
    const order = world.place({ type: 'MARKET', time_in_force: 'IOC', quantity: '11' });
    expect([order.status, order.executed.toFixed()]).toEqual(['EXPIRED', '10']);
    expect(world.holding('USDT').split(' ')[1]).toBe('0');
  });

  it('does not get what another has taken since the bar closed, and gets it again after the next', () => {
    const world = new PaperWorld();
    const take = (client_order_id: string) => {
      world.place({ client_order_id, type: 'MARKET', time_in_force: 'IOC', quantity: '0.5' });
      return world.fills(client_order_id);
    };
    expect([take('a'), take('b')]).toEqual([['100.01×0.5'], ['100.02×0.5']]);
    world.pass();
    expect(take('c')).toEqual(['100.01×0.5']);
  });
});

describe('a limit order', () => {
  it('takes what stands at its price or better and rests with the rest, holding its full price', () => {
    const world = new PaperWorld();
    const order = world.place({ client_order_id: 'a', quantity: '2', price: '100.02' });
    expect([order.status, order.executed.toFixed()]).toEqual(['PARTIALLY_FILLED', '1']);
    expect(world.holding('USDT')).toBe('9799.965 100.02');
  });

  it('rests until a later bar trades through its price, and gets no more than its share of that bar', () => {
    const world = new PaperWorld();
    world.place({ client_order_id: 'a', quantity: '2.5', price: '96.5' });
    world.pass();
    expect(world.order('a').status).toBe('NEW');
    world.pass();
    expect(world.fills('a')).toEqual(['96.5×1m']);
    world.pass();
    expect(world.fills('a')).toEqual(['96.5×1m', '96.5×1m']);
    world.pass(2);
    expect(world.fills('a')).toHaveLength(2);
    expect(world.holding('USDT')).toBe('9758.75 48.25');
  });

  it('does not fill where a bar only touches its price', () => {
    const world = new PaperWorld();
    world.place({ client_order_id: 'touched', quantity: '0.4', price: '95' });
    world.place({ client_order_id: 'passed', quantity: '0.4', price: '95.01' });
    world.pass(2);
    expect([world.fills('touched'), world.fills('passed')]).toEqual([[], ['95.01×0.4m']]);
  });

  it('gets nothing of what its bar traded before it came, but is met when the quote comes to it', () => {
    const world = new PaperWorld();
    world.engine.advance({ wall_ms: 1_000_000, market_ms: 90_000 });
    const late = { ...world.now, market_ms: 90_000 };
    const draft = { account: 'main', side: 'BUY', type: 'LIMIT', time_in_force: 'GTC' } as const;
    const place = (client_order_id: string, price: string) => {
      const { market } = world;
      world.engine.place(
        { ...draft, client_order_id, price: market.step.times(price), quantity: market.step.times('1000') },
        late,
      );
    };
    place('low', '95500');
    place('met', '97000');
    world.minute = 2;
    world.engine.advance({ wall_ms: 1_000_002, market_ms: 120_000 });
    expect([world.fills('low'), world.fills('met')]).toEqual([[], ['97×1m']]);
  });

  it('waits behind better prices and older orders', () => {
    const world = new PaperWorld(marketData(), '0.3');
    world.place({ client_order_id: 'old', quantity: '2', price: '97' });
    world.place({ client_order_id: 'better', quantity: '1.5', price: '98' });
    world.place({ client_order_id: 'young', quantity: '2', price: '97' });
    world.pass(2);
    expect(['better', 'old', 'young'].map((id) => world.fills(id))).toEqual([['98×1.5m'], ['97×1.5m'], []]);
  });

  it('good for now alone expires with its rest, and all or nothing with all', () => {
    const world = new PaperWorld();
    const ioc = world.place({ time_in_force: 'IOC', quantity: '2', price: '100.02' });
    expect([ioc.status, ioc.executed.toFixed()]).toEqual(['EXPIRED', '1']);
    world.pass();
    const fok = world.place({ time_in_force: 'FOK', quantity: '2', price: '100.02' });
    expect([fok.status, fok.executed.toFixed()]).toEqual(['EXPIRED', '0']);
    const whole = world.place({ time_in_force: 'FOK', quantity: '1', price: '100.02' });
    expect(whole.status).toBe('FILLED');
    expect(world.holding('USDT').split(' ')[1]).toBe('0');
  });

  it('that must not take is refused where it would, and rests where it would not', () => {
    const world = new PaperWorld();
    const maker: DraftText = { type: 'LIMIT_MAKER', quantity: '1' };
    expect(code(() => world.place({ ...maker, price: '100.01' }))).toBe(
      '-2010 Order would immediately match and take.',
    );
    expect(world.place({ ...maker, price: '100' }).status).toBe('NEW');
  });
});

describe('a stop order', () => {
  const stop: DraftText = {
    client_order_id: 'a',
    side: 'SELL',
    type: 'STOP_LOSS',
    time_in_force: 'IOC',
    quantity: '0.4',
  };

  it('sells at the market once a later bar reaches its price', () => {
    const world = new PaperWorld();
    world.place({ ...stop, stop_price: '98' });
    world.pass();
    expect([world.order('a').working, world.holding('BTC')]).toEqual([false, '49.6 0.4']);
    world.pass();
    expect(world.order('a').status).toBe('FILLED');
    expect(world.fills('a')).toEqual(['95.99×0.4']);
    expect(world.holding('BTC')).toBe('49.6 0');
  });

  it('buys no more than the account can pay when its price has come', () => {
    const world = new PaperWorld();
    world.place({ ...stop, side: 'BUY', quantity: '5', stop_price: '101.5' });
    world.place({ client_order_id: 'rest', quantity: '105.4', price: '90' });
    const free = world.books.holding('main', 'USDT').free;
    world.pass(3);
    expect(world.order('a').status).toBe('EXPIRED');
    expect(world.order('a').executed_quote.lte(free.plus('507.5'))).toBe(true);
    expect(world.books.holding('main', 'USDT').free.gte('0')).toBe(true);
  });

  it('with a limit price takes up to it and rests there', () => {
    const world = new PaperWorld();
    const { price, stop_price } = { price: '105', stop_price: '101.5' };
    world.place({
      ...stop,
      type: 'STOP_LOSS_LIMIT',
      time_in_force: 'GTC',
      side: 'BUY',
      quantity: '3',
      price,
      stop_price,
    });
    expect(world.holding('USDT')).toBe('9685 315');
    world.pass(3);
    expect([world.order('a').status, world.order('a').working]).toEqual(['NEW', true]);
    world.pass(2);
    expect(world.fills('a')).toEqual(['105×1m']);
  });

  it('that is all or nothing ends without a fill where there is not all', () => {
    const world = new PaperWorld();
    const { price, stop_price } = { price: '105.01', stop_price: '101.5' };
    const killed: DraftText = {
      ...stop,
      type: 'STOP_LOSS_LIMIT',
      time_in_force: 'FOK',
      side: 'BUY',
      price,
      stop_price,
    };
    world.place({ ...killed, quantity: '3' });
    world.pass(3);
    expect([world.order('a').status, world.fills('a'), world.holding('USDT')]).toEqual(['EXPIRED', [], '10000 0']);
  });

  it('is refused where it would begin at once', () => {
    const world = new PaperWorld();
    const refused = '-2010 Stop price would trigger immediately.';
    expect(code(() => world.place({ ...stop, stop_price: '100' }))).toBe(refused);
    expect(code(() => world.place({ ...stop, side: 'BUY', stop_price: '99.5' }))).toBe(refused);
  });
});

describe('an order is refused', () => {
  const cases: readonly (readonly [string, DraftText, string])[] = [
    ['off the tick', { quantity: '1', price: '99.001' }, '-1013 Filter failure: PRICE_FILTER'],
    ['at no price', { quantity: '1', price: '0' }, '-1013 Invalid price.'],
    ['off the step', { quantity: '1.0001', price: '99' }, '-1013 Filter failure: LOT_SIZE'],
    ['of nothing', { quantity: '0', price: '99' }, '-1013 Invalid quantity.'],
    ['of too much', { quantity: '1000.001', price: '99' }, '-1013 Filter failure: LOT_SIZE'],
    ['of too little value', { quantity: '0.05', price: '99' }, '-1013 Filter failure: NOTIONAL'],
    ['of too little value at the market', { type: 'MARKET', quantity: '0.04' }, '-1013 Filter failure: NOTIONAL'],
    ['that buys for nothing', { type: 'MARKET', quote_quantity: '0' }, '-1013 Invalid quantity.'],
    [
      'beyond the balance',
      { quantity: '101', price: '99.99' },
      '-2010 Account has insufficient balance for requested action.',
    ],
    [
      'beyond what is held',
      { side: 'SELL', quantity: '50.001', price: '101' },
      '-2010 Account has insufficient balance for requested action.',
    ],
  ];
  it.each(cases)('%s', (_, draft, refusal) => {
    const world = new PaperWorld();
    const before = booksAsJson(world.books);
    expect(code(() => world.place(draft))).toBe(refusal);
    expect(booksAsJson(world.books)).toEqual(before);
  });

  it('under the id of an open one, and taken once that has ended', () => {
    const world = new PaperWorld();
    const same = { client_order_id: 'same', quantity: '1', price: '90' };
    const first = world.place(same);
    expect(code(() => world.place(same))).toBe('-2010 Duplicate order sent.');
    world.engine.cancel(first, world.now);
    expect(code(() => world.place(same))).toBe('accepted');
    expect(world.order('same').accepted.order_id).toBe(2);
  });

  it('before the first bar has closed', () => {
    const world = new PaperWorld(marketData(undefined, { window: { start_ms: 0, end_ms: 60_000_000, speed: 1 } }));
    expect(code(() => world.place({ quantity: '1', price: '99' }))).toMatch(/^-1001 /);
    world.pass();
    expect(code(() => world.place({ quantity: '1', price: '99' }))).toBe('accepted');
  });
});

describe('a cancel', () => {
  it('frees what was held, and finds no order that has ended', () => {
    const world = new PaperWorld();
    const order = world.place({ quantity: '1', price: '90' });
    expect(world.engine.cancel(order, world.now).status).toBe('CANCELED');
    expect(world.holding('USDT')).toBe('10000 0');
    expect(code(() => world.engine.cancel(order, world.now))).toBe('-2011 Unknown order sent.');
  });

  it('may come after a fill that is told later', () => {
    const world = new PaperWorld();
    const order = world.place({ client_order_id: 'a', quantity: '1', price: '90' });
    const cancelled = world.engine.cancel(order, world.now, { late_ms: 3 });
    expect([cancelled.status, cancelled.executed.toFixed(), world.holding('USDT')]).toEqual([
      'CANCELED',
      '0',
      '9955 45',
    ]);
    world.pass(2);
    expect(world.fills('a')).toEqual([]);
    world.pass(1);
    expect(world.fills('a')).toEqual(['90×0.5m']);
    expect([world.order('a').status, world.holding('USDT'), world.holding('BTC')]).toEqual([
      'CANCELED',
      '9955 0',
      '50.4995 0',
    ]);
    expect(world.books.fillsOf(1)[0]!.at_ms).toBe(1_000_000);
  });
});

describe('the replay', () => {
  it('goes on after its end, and no order is lost over it', () => {
    const world = new PaperWorld();
    world.place({ client_order_id: 'a', quantity: '2', price: '95.5' });
    world.pass(2);
    expect(world.fills('a')).toHaveLength(1);
    world.pass(6);
    expect(world.fills('a')).toHaveLength(2);
  });

  it('of which several rounds have passed is gone through once', () => {
    const world = new PaperWorld();
    world.place({ client_order_id: 'a', quantity: '9', price: '95.5' });
    world.pass(600);
    expect(world.fills('a').length).toBeLessThanOrEqual(3);
  });

  it('fills nothing by what passed while the venue did not run', () => {
    const world = new PaperWorld();
    world.place({ client_order_id: 'a', quantity: '1', price: '95.5' });
    const books = new Books(world.market.data);
    for (const event of world.kept.flat()) books.apply(event);
    const market = new Market(world.market.data);
    const fees = world.engine.fees;
    const again = new Engine({ market, books, fees, participation: '0.1', keep: () => undefined, market_ms: 240_000 });
    again.advance({ wall_ms: 2_000_000, market_ms: 240_000 });
    expect(booksAsJson(books)).toEqual(booksAsJson(world.books));
  });
});

describe('an order from before a restart', () => {
  it('is filled by bars that open after it, also where the replay is slower now', () => {
    const world = new PaperWorld();
    world.minute = 600;
    world.place({ client_order_id: 'a', quantity: '1', price: '95.5' });
    const { market } = world;
    const books = new Books(market.data);
    for (const event of world.kept.flat()) books.apply(event);
    const options = { market, books, fees: world.engine.fees, participation: '0.1', keep: () => undefined };
    const again = new Engine({ ...options, market_ms: 90_000 });
    again.advance({ wall_ms: 2_000_000, market_ms: 150_000 });
    expect(books.fillsOf(1)).toEqual([]);
    again.advance({ wall_ms: 2_000_000, market_ms: 8 * 60_000 });
    expect(books.fillsOf(1).map(({ price }) => price)).toEqual(['95.5']);
  });
});

describe('what cannot be kept', () => {
  it('has not happened', () => {
    const world = new PaperWorld();
    const full = new Error('no room is left');
    const keep = () => {
      throw full;
    };
    const books = new Books(world.market.data);
    for (const event of world.kept.flat()) books.apply(event);
    const { market, engine } = world;
    const failing = new Engine({ market, books, fees: engine.fees, participation: '0.1', keep, market_ms: 0 });
    const before = booksAsJson(books);
    const draft = { account: 'main', client_order_id: 'a', side: 'BUY', type: 'MARKET', time_in_force: 'IOC' } as const;
    expect(() => failing.place({ ...draft, quantity: market.step.times('1000') }, world.now)).toThrow(full);
    expect(booksAsJson(books)).toEqual(before);
  });
});

describe('a market', () => {
  const level = ({ price, quantity }: { price: { toFixed(): string }; quantity: { toFixed(): string } }) =>
    `${price.toFixed()}×${quantity.toFixed()}`;

  it('quotes what was recorded, where something was, and around the close elsewhere', () => {
    const quotes = [{ open_time_ms: 60_000, bid: '99.9', bid_quantity: '0.0004', ask: '100.3', ask_quantity: '0.25' }];
    const market = new Market(marketData(undefined, { quotes }));
    const best = (index: number) => [market.depth(index).bids[0]!, market.depth(index).asks[0]!].map(level);
    expect(best(0)).toEqual(['99.99×0.5', '100.01×0.5']);
    expect(best(1)).toEqual(['99.9×0.001', '100.3×0.25']);
  });

  it('never quotes a bid that is not below its ask, whatever was recorded', () => {
    const quotes = [{ open_time_ms: 0, bid: '100.3', bid_quantity: '1', ask: '100.3', ask_quantity: '1' }];
    const { bids, asks } = new Market(marketData(undefined, { quotes })).depth(0);
    expect(bids[0]!.price.lt(asks[0]!.price)).toBe(true);
  });

  it('of a price near nothing keeps its levels above it', () => {
    const bars: readonly BarText[] = [['0.02', '0.02', '0.02', '0.02', '1000']];
    const { bids, asks } = new Market(marketData(bars)).depth(0);
    expect(bids.map(level)).toEqual(['0.01×50']);
    expect(asks).toHaveLength(20);
  });
});
