/** Permits: who may send an order, what it reserves, and how that ends. */
import { describe, expect, it } from '@jest/globals';
import { statusOf } from '../../src/emergency/decide';
import { DeskAtWork, NOON, orderRequest, outcomeOf } from '../support/desk-at-work';

const sell = { side: 'sell' };
const book = (desk: DeskAtWork, scope = 'global') =>
  statusOf(desk.state, desk.now).scopes.find((each) => each.scope === scope);

describe('a sell that opens', () => {
  const market = { price: '100', age_ms: 5 };
  const cheap = { ...sell, price: '0.01', quantity: '50', market };

  it('counts as what the market pays for it, and not as the least it may get', () => {
    const desk = new DeskAtWork();
    desk.limits({ max_order_notional: '4999', max_position_notional: '8000' });
    expect(desk.ask(cheap)).toBe('LimitExceeded');
    desk.limits({ max_order_notional: '5000' });
    desk.permits([orderRequest('p', cheap)]);
    expect(book(desk)).toMatchObject({ reserved: '5000' });
    expect(desk.ask(cheap)).toBe('LimitExceeded');
    desk.fill({ side: 'sell', permit_id: 'p', order_id: 'p', filled_quantity: '20', filled_notional: '2000' });
    expect(book(desk)).toMatchObject({ reserved: '3000', held: '2000' });
    desk.settle('p', 'closed', { filled_quantity: '20' });
    expect(book(desk)).toMatchObject({ reserved: '0', held: '2000' });
  });

  it('counts at its own price where that is above the market’s, or the market’s is not known', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p', { ...sell, price: '120', market }), orderRequest('q', { ...sell, price: '7' })]);
    expect(book(desk)).toMatchObject({ reserved: '127' });
  });

  it('counts at the latest price of what is held where it does not say what the market’s is', () => {
    const desk = new DeskAtWork();
    desk.limits({ max_position_notional: '5000' });
    desk.fill();
    expect(desk.ask({ ...sell, quantity: '50', price: '0.01' })).toBe('LimitExceeded');
    expect(desk.ask({ ...sell, quantity: '1', price: '0.01' })).toBe('granted');
    expect(desk.ask({ ...sell, quantity: '49', price: '0.01' })).toBe('granted');
    expect(book(desk)).toMatchObject({ reserved: '4900', held: '100' });
  });

  it('leaves nothing reserved when it has ended, also where that price has no end', () => {
    const desk = new DeskAtWork();
    desk.fill({ filled_quantity: '3', filled_notional: '200' });
    desk.permits([orderRequest('p', { ...sell, quantity: '7.123456789012345', price: '0.01' })]);
    expect(desk.state.permits['p']).toMatchObject({ counted_at: '66.666666666666667', reduces: false });
    const part = { side: 'sell', permit_id: 'p', order_id: 'p', filled_quantity: '0.000000000000001' };
    desk.fill({ ...part, filled_notional: '0.0000000000001' });
    desk.settle('p', 'closed', { filled_quantity: '0.000000000000001' });
    expect(book(desk)).toMatchObject({ reserved: '0' });
  });
});

describe('a permit', () => {
  it('carries the epoch and its lifetime', () => {
    const desk = new DeskAtWork();
    expect(desk.permits([orderRequest('p')])).toEqual([
      { permit_id: 'p', granted: true, epoch: NOON, lifetime_ms: 1_000, reduces: false },
    ]);
  });

  it('is for one request: asked again, open or ended, it is used', () => {
    const desk = new DeskAtWork();
    const outcomes = desk.permits([orderRequest('p'), orderRequest('p')]).map(outcomeOf);
    expect(outcomes).toEqual(['granted', 'AlreadyUsed']);
    desk.settle('p', 'unused');
    expect(desk.permits([orderRequest('p')]).map(outcomeOf)).toEqual(['AlreadyUsed']);
  });

  it('that was denied may be asked for again', () => {
    const desk = new DeskAtWork();
    desk.raise('halt', 'symbol:BTC/USDT');
    expect(desk.permits([orderRequest('p')]).map(outcomeOf)).toEqual(['EmergencyHalted']);
    desk.resume('symbol:BTC/USDT');
    expect(desk.permits([orderRequest('p')]).map(outcomeOf)).toEqual(['granted']);
  });

  it.each(['global', 'venue:paper', 'symbol:BTC/USDT', 'bot:b1', 'strategy:s1'])(
    'is denied while %s is halted',
    (scope) => {
      const desk = new DeskAtWork();
      desk.bot('b1');
      desk.raise('alert', scope);
      expect(desk.ask({ bot_id: 'b1', strategy_id: 's1' })).toBe('granted');
      desk.raise('halt', scope);
      expect(desk.ask({ bot_id: 'b1', strategy_id: 's1' })).toBe('EmergencyHalted');
      expect(desk.ask({ bot_id: 'b1', strategy_id: 's1', purpose: 'operator' })).toBe('EmergencyHalted');
    },
  );

  it('of one bot is not denied for another’s halt', () => {
    const desk = new DeskAtWork();
    desk.bot('b1');
    desk.bot('b2');
    desk.raise('shutdown', 'bot:b2');
    expect(desk.ask({ bot_id: 'b1' })).toBe('granted');
    expect(desk.ask({ bot_id: 'b2' })).toBe('EmergencyHalted');
  });

  it.each([
    [{ quantity: 'NaN' }, 'InvalidInput'],
    [{ quantity: '1e400' }, 'InvalidInput'],
    [{ quantity: 'Infinity' }, 'InvalidInput'],
    [{ quantity: 1 }, 'InvalidInput'],
    [{ quantity: '-1' }, 'InvalidInput'],
    [{ quantity: '0' }, 'InvalidInput'],
    [{ quantity: '0.000' }, 'InvalidInput'],
    [{ quantity: undefined }, 'InvalidInput'],
    [{ quantity: '1.0000000000000001' }, 'InvalidInput'],
    [{ quantity: '123456789012345' }, 'InvalidInput'],
    [{ quantity: ' 1' }, 'InvalidInput'],
    [{ quantity: '+1' }, 'InvalidInput'],
    [{ quantity: '0x10' }, 'InvalidInput'],
    [{ price: 100 }, 'InvalidInput'],
    [{ price: null }, 'InvalidInput'],
    [{ price: '1e2' }, 'InvalidInput'],
    [{ price: '0' }, 'InvalidInput'],
    [{ price: Number.NaN }, 'InvalidInput'],
    [{ side: 'BUY' }, 'InvalidInput'],
    [{ account: '' }, 'InvalidInput'],
    [{ symbol: 'x'.repeat(201) }, 'InvalidInput'],
    [{ venue: 'a b' }, 'InvalidInput'],
    [{ venue: '__proto__' }, 'InvalidInput'],
    [{ venue: 'toString' }, 'granted'],
    [{ execution_id: 7 }, 'InvalidInput'],
    [{ bot_id: '' }, 'InvalidInput'],
    [{ bot_id: 'constructor' }, 'UnknownScope'],
    [{ bot_id: 'nobody' }, 'UnknownScope'],
    [{ bot_id: 'elsewhere' }, 'InvalidInput'],
    [{ strategy_id: null }, 'InvalidInput'],
    [{ purpose: 'because' }, 'InvalidInput'],
    [{ market: '100' }, 'InvalidInput'],
    [{ market: { price: 100, age_ms: 1 } }, 'InvalidInput'],
    [{ market: { price: '100', age_ms: '1' } }, 'InvalidInput'],
    [{ market: { price: '100', age_ms: -1 } }, 'InvalidInput'],
    [{ market: { price: '100', age_ms: Number.NaN } }, 'InvalidInput'],
    [{ currency: 'usdt' }, 'InvalidInput'],
    [{ currency: undefined }, 'InvalidInput'],
    [{ currency: 'USDC' }, 'WrongCurrency'],
  ])('asked for with %j is %s', (over, outcome) => {
    const desk = new DeskAtWork();
    desk.bot('elsewhere', { venues: ['other'] });
    expect(desk.ask(over)).toBe(outcome);
    expect(Object.keys(desk.state.permits)).toHaveLength(outcome === 'granted' ? 1 : 0);
  });

  it.each([
    [undefined, ''],
    [null, ''],
    ['p', ''],
    [{}, ''],
    [{ permit_id: 7 }, ''],
    [{ permit_id: 'a b' }, 'a b'],
  ])('asked for with %j is denied under the id it has', (request, permit_id) => {
    expect(new DeskAtWork().permits([request])).toEqual([
      expect.objectContaining({ permit_id, granted: false, code: 'InvalidInput' }),
    ]);
  });

  it('is denied when as many are open as the desk keeps; what it carries then stays small', () => {
    const desk = new DeskAtWork({ checks: false });
    const id = (at: number) => `execution-2026-01-05-0000000${at}/node`;
    desk.limits({ max_position_notional: null });
    for (let batch = 0; batch < 20; batch += 1) {
      desk.permits(Array.from({ length: 100 }, (_, at) => orderRequest(id(batch * 100 + at))));
    }
    expect(desk.ask()).toBe('DeskBusy');
    expect(JSON.stringify(desk.state).length).toBeLessThan(700_000);
    expect(statusOf(desk.state, NOON).open_permits).toMatchObject({ count: 2_000, listed: { length: 200 } });
    desk.settle(id(0), 'closed');
    expect(desk.ask()).toBe('granted');
  });

  it('that ended is remembered for thousands of others, and not for ever', () => {
    const desk = new DeskAtWork({ checks: false });
    desk.limits({ max_position_notional: null });
    desk.permits([orderRequest('first')]);
    desk.settle('first', 'closed');
    const endMany = (from: number) => {
      const ids = Array.from({ length: 500 }, (_, at) => `p${from}-${at}`);
      desk.permits(ids.map((id) => orderRequest(id)));
      desk.permits(
        [],
        ids.map((permit_id) => ({ permit_id, outcome: 'unused' })),
      );
    };
    for (let at = 0; at < 8; at += 1) endMany(at);
    expect(desk.permits([orderRequest('first')]).map(outcomeOf)).toEqual(['AlreadyUsed']);
    for (let at = 8; at < 20; at += 1) endMany(at);
    expect(desk.state.ended).toHaveLength(12);
    expect(desk.permits([orderRequest('first')]).map(outcomeOf)).toEqual(['granted']);
  });
});

describe('exposure', () => {
  it('of 50 orders of 100 against a limit of 1,000 lets exactly 10 pass', () => {
    const desk = new DeskAtWork();
    desk.limits({ max_position_notional: '1000' });
    const requests = Array.from({ length: 50 }, (_, at) => orderRequest(`p${at}`));
    const outcomes = desk.permits(requests).map(outcomeOf);
    expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === 'LimitExceeded')).toHaveLength(40);
    expect(book(desk)).toMatchObject({ reserved: '1000', held: '0', open_orders: 10, state: 'alert' });
  });

  it('moves from reserved to held with the fill, and frees what was not filled in the end', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p', { quantity: '4' })]);
    desk.fill({ order_id: 'o', permit_id: 'p', filled_quantity: '1', filled_notional: '90' });
    expect(book(desk)).toMatchObject({ reserved: '300', held: '90', unsettled: 0 });
    desk.fill({ order_id: 'o', permit_id: 'p', filled_quantity: '3', filled_notional: '290' });
    expect(book(desk)).toMatchObject({ reserved: '100', held: '300' });
    desk.settle('p', 'closed');
    expect(book(desk)).toMatchObject({ reserved: '0', held: '300', open_orders: 0 });
  });

  it('of what was not filled is free with the fill that is said to be the last, also where that was known before', () => {
    const desk = new DeskAtWork();
    const part = { order_id: 'p', permit_id: 'p', filled_quantity: '0.4', filled_notional: '40' };
    desk.permits([orderRequest('p')]);
    desk.fill(part);
    expect(book(desk)).toMatchObject({ reserved: '60', held: '40', open_orders: 1 });
    desk.fill({ ...part, ended: true });
    expect(book(desk)).toMatchObject({ reserved: '0', held: '40', open_orders: 0 });
    expect(desk.fill({ ...part, order_id: 'o', permit_id: undefined, ended: true })).toEqual({ kind: 'accepted' });
    expect(desk.fill({ ...part, ended: 'yes' })).toMatchObject({ kind: 'refused', error: { code: 'InvalidInput' } });
  });

  it('stays reserved for a closed order until what it filled is recorded', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p', { quantity: '4' })]);
    desk.settle('p', 'closed', { filled_quantity: '3' });
    expect(book(desk)).toMatchObject({ reserved: '300', open_orders: 1 });
    desk.settle('p', 'acknowledged');
    desk.settle('p', 'rejected');
    desk.settle('p', 'closed', { filled_quantity: '3' });
    desk.fill({ order_id: 'o', permit_id: 'p', filled_quantity: '1', filled_notional: '100' });
    expect(book(desk)).toMatchObject({ reserved: '200', held: '100', open_orders: 1 });
    desk.fill({ order_id: 'o', permit_id: 'p', filled_quantity: '3', filled_notional: '300' });
    expect(book(desk)).toMatchObject({ reserved: '0', held: '300', open_orders: 0 });
    expect(desk.permits([orderRequest('p')]).map(outcomeOf)).toEqual(['AlreadyUsed']);
  });

  it('is not freed by a repeat, a stranger, or a word that contradicts what is known', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p'), orderRequest('q')]);
    desk.settle('p', 'acknowledged');
    desk.settle('p', 'unused');
    expect(desk.effects).toEqual([
      expect.objectContaining({ kind: 'audit', action: 'settle', outcome: 'InvalidInput' }),
    ]);
    for (const settlement of [
      null,
      {},
      { permit_id: 'p', outcome: 'gone' },
      { permit_id: 'stranger', outcome: 'closed' },
      { permit_id: 'p', outcome: 'closed', filled_quantity: 1 },
    ]) {
      desk.permits([], [settlement]);
    }
    expect(book(desk)).toMatchObject({ reserved: '200', open_orders: 2 });
    desk.permits(
      [],
      [
        { permit_id: 'q', outcome: 'rejected' },
        { permit_id: 'q', outcome: 'rejected' },
      ],
    );
    expect(book(desk)).toMatchObject({ reserved: '100', open_orders: 1 });
  });

  it.each([{ side: 'sell' }, { symbol: 'ETH/USDT' }, { account: 'other' }, { bot_id: 'b1' }, { strategy_id: 's1' }])(
    'is not freed by a fill of another order, as by %j',
    (over) => {
      const desk = new DeskAtWork();
      desk.permits([orderRequest('p')]);
      expect(desk.fill({ permit_id: 'p', ...over })).toMatchObject({
        kind: 'refused',
        error: { code: 'InvalidInput' },
      });
      expect(book(desk)).toMatchObject({ reserved: '100', held: '0' });
      expect(desk.fill({ permit_id: 'p' })).toEqual({ kind: 'accepted' });
    },
  );

  it('keeps the price of a newer fill when an older one comes late', () => {
    const desk = new DeskAtWork();
    desk.fill({ order_id: 'new', filled_notional: '120' });
    desk.fill({ order_id: 'old', filled_notional: '80', at: NOON - 1 });
    expect(book(desk)).toMatchObject({ held: '240' });
  });

  it('is valued with the latest price, in every scope that holds it', () => {
    const desk = new DeskAtWork();
    desk.bot('b1');
    desk.fill({ bot_id: 'b1', filled_quantity: '2', filled_notional: '200' });
    desk.fill({ filled_quantity: '1', filled_notional: '100' });
    desk.price('150');
    desk.price('1', { at: NOON - 1 });
    desk.price('1', { symbol: 'ETH/USDT' });
    expect(book(desk)).toMatchObject({ held: '450' });
    expect(book(desk, 'symbol:BTC/USDT')).toMatchObject({ held: '450' });
    expect(book(desk, 'bot:b1')).toMatchObject({ held: '300' });
  });

  it('counts each limit up to the limit itself', () => {
    const desk = new DeskAtWork();
    desk.limits({ max_order_notional: '100', max_open_orders: '1' });
    expect(desk.ask({ price: '100.01' })).toBe('LimitExceeded');
    expect(desk.ask()).toBe('granted');
    expect(desk.ask()).toBe('LimitExceeded');
  });

  it('an order past a limit of any of its scopes is denied', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', {}, { max_position_notional: '150' });
    expect(desk.ask({ bot_id: 'b1' })).toBe('granted');
    expect(desk.ask({ bot_id: 'b1' })).toBe('LimitExceeded');
    expect(desk.ask()).toBe('granted');
  });
});

describe('the rate of orders', () => {
  it('slides: no minute holds more than the limit', () => {
    const desk = new DeskAtWork();
    desk.limits({ order_rate: '3' });
    expect([desk.ask(), desk.ask()]).toEqual(['granted', 'granted']);
    desk.now += 30_000;
    expect([desk.ask(), desk.ask()]).toEqual(['granted', 'LimitExceeded']);
    desk.now = NOON + 60_999;
    expect(desk.ask()).toBe('LimitExceeded');
    desk.now = NOON + 61_000;
    expect(desk.ask()).toBe('granted');
    expect(statusOf(desk.state, desk.now).scopes[0]!.limits).toContainEqual(
      expect.objectContaining({ limit: 'order_rate', used: '2' }),
    );
    expect([desk.ask(), desk.ask()]).toEqual(['granted', 'LimitExceeded']);
  });
});

describe('the market’s price', () => {
  const market = (price: string, age_ms = 0) => ({ market: { price, age_ms } });

  it('must be there and young where its age is limited', () => {
    const desk = new DeskAtWork();
    desk.limits({ max_price_age: '1.5' });
    expect(desk.ask()).toBe('StalePrice');
    expect(desk.ask(market('1', 1_501))).toBe('StalePrice');
    expect(desk.ask(market('1', 1_500))).toBe('granted');
  });

  it.each([
    ['105', 'granted'],
    ['95', 'granted'],
    ['105.01', 'LimitExceeded'],
    ['94.99', 'LimitExceeded'],
  ])('is the middle of a collar of 5 percent: %s is %s', (price, outcome) => {
    const desk = new DeskAtWork();
    desk.limits({ price_collar_percent: '5' });
    expect(desk.ask({ price, ...market('100') })).toBe(outcome);
    expect(desk.ask({ price })).toBe('StalePrice');
  });
});

describe('reducing', () => {
  const holding = (over: object = {}) => {
    const desk = new DeskAtWork();
    desk.bot('b1');
    desk.fill({ filled_quantity: '2', filled_notional: '200', ...over });
    return desk;
  };

  it('two full exits of one position: one passes as reducing, the other would open', () => {
    const desk = holding();
    desk.raise('halt');
    const exits = ['p', 'q'].map((id) => orderRequest(id, { ...sell, quantity: '2', purpose: 'operator' }));
    expect(desk.permits(exits).map(outcomeOf)).toEqual(['granted', 'EmergencyHalted']);
    desk.settle('p', 'unused');
    expect(desk.ask({ ...sell, quantity: '2', purpose: 'on_halt' })).toBe('granted');
  });

  it('outside a halt the second exit is increasing as a whole', () => {
    const desk = holding();
    const [first, second] = desk.permits(['p', 'q'].map((id) => orderRequest(id, { ...sell, quantity: '2' })));
    expect([first, second]).toEqual([
      expect.objectContaining({ reduces: true }),
      expect.objectContaining({ reduces: false }),
    ]);
    expect(book(desk)).toMatchObject({ reserved: '200', open_orders: 1 });
  });

  it('passes a halt only by on_halt or an operator, and a shutdown not at all', () => {
    const desk = holding();
    desk.raise('halt');
    expect(desk.ask(sell)).toBe('EmergencyHalted');
    expect(desk.ask({ ...sell, purpose: 'on_halt' })).toBe('granted');
    expect(desk.ask({ ...sell, purpose: 'operator', quantity: '1.5' })).toBe('EmergencyHalted');
    desk.raise('shutdown', 'symbol:BTC/USDT');
    expect(desk.ask({ ...sell, purpose: 'operator' })).toBe('EmergencyHalted');
  });

  it('is not held back by limits on exposure, nor by a loss', () => {
    const desk = holding();
    desk.limits(
      { max_order_notional: '1', max_position_notional: '1', max_open_orders: '0', daily_loss: '0' },
      'global',
      { auto_halt: false },
    );
    expect(desk.ask({ ...sell, quantity: '2' })).toBe('granted');
    expect(desk.ask({ ...sell, quantity: '2' })).toBe('LimitExceeded');
  });

  it('is judged by account, venue, symbol and side', () => {
    const desk = holding();
    const reduces = (over: object) => {
      const [answer] = desk.permits([orderRequest(desk.nextId(), { ...sell, ...over })]);
      return answer!.granted && answer!.reduces;
    };
    expect(reduces({ side: 'buy' })).toBe(false);
    expect(reduces({ account: 'other' })).toBe(false);
    expect(reduces({ venue: 'other' })).toBe(false);
    expect(reduces({ symbol: 'ETH/USDT' })).toBe(false);
    expect(reduces({ bot_id: 'b1' })).toBe(false);
    expect(reduces({})).toBe(true);
  });

  it('a short position is reduced by buying', () => {
    const desk = holding(sell);
    desk.raise('halt');
    expect(desk.ask({ quantity: '2', purpose: 'on_halt' })).toBe('granted');
    expect(desk.ask({ ...sell, purpose: 'on_halt' })).toBe('EmergencyHalted');
  });

  it('frees with its fill what it had taken', () => {
    const desk = holding({ bot_id: 'b1', strategy_id: 's1' });
    const order = { ...sell, bot_id: 'b1', strategy_id: 's1' };
    desk.permits([orderRequest('p', { ...order, quantity: '2' })]);
    desk.fill({ ...order, order_id: 'o', permit_id: 'p', filled_quantity: '1', filled_notional: '100' });
    desk.fill({ ...order, order_id: 'o', permit_id: 'p', filled_quantity: '1', filled_notional: '100' });
    expect(desk.ask(order)).toBe('granted');
    expect(book(desk, 'bot:b1')).toMatchObject({ held: '100', reserved: '100' });
    desk.settle('p', 'closed');
    expect(Object.values(desk.state.positions)[0]).toMatchObject({ quantity: '1', sell: '0' });
    expect(desk.ask({ ...order, purpose: 'on_halt' })).toBe('granted');
    expect(Object.values(desk.state.positions)[0]).toMatchObject({ sell: '1', parts: { 'bot:b1': { sell: '1' } } });
  });

  it('keeps what open permits may reduce when the position is gone first', () => {
    const desk = holding();
    desk.permits([orderRequest('p', { ...sell, quantity: '2' })]);
    desk.fill({ ...sell, filled_quantity: '2', filled_notional: '200' });
    expect(Object.values(desk.state.positions)).toHaveLength(1);
    desk.settle('p', 'unused');
    expect(desk.state.positions).toEqual({});
    expect(book(desk)).toMatchObject({ held: '0' });
  });

  it('needs a proven position', () => {
    const desk = holding();
    desk.permits([orderRequest('p'), orderRequest('q')]);
    desk.unknown('stranger');
    expect(desk.state.unproven).toEqual({});
    desk.unknown('p');
    desk.unknown('p');
    desk.unknown('q');
    expect(desk.ask(sell)).toBe('PositionUnproven');
    expect(desk.ask()).toBe('granted');
    expect(desk.ask({ ...sell, symbol: 'ETH/USDT' })).toBe('granted');
    desk.raise('halt');
    expect(desk.ask({ side: 'buy', purpose: 'on_halt' })).toBe('PositionUnproven');
    expect(desk.ask(sell)).toBe('EmergencyHalted');
    desk.settle('q', 'closed');
    desk.settle('p', 'fenced');
    expect(desk.ask({ ...sell, purpose: 'on_halt' })).toBe('PositionUnproven');
    desk.settle('p', 'acknowledged');
    expect(desk.ask({ ...sell, purpose: 'on_halt' })).toBe('granted');
  });
});

describe('a halt', () => {
  it('is sealed at once when no order is out', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    expect(desk.effects.slice(0, 2)).toEqual([
      expect.objectContaining({ kind: 'state_changed' }),
      { kind: 'sealed', scope: 'global', state: 'halt', epoch: NOON + 1, halted_at: NOON, at: NOON },
    ]);
  });

  it('is sealed when the last order that was out can be accepted no more', () => {
    const desk = new DeskAtWork();
    desk.permits(['p', 'q', 'r'].map((id) => orderRequest(id)));
    desk.raise('halt', 'venue:paper');
    desk.raise('halt', 'venue:other');
    desk.settle('p', 'acknowledged');
    desk.fill({ permit_id: 'q' });
    expect(statusOf(desk.state, NOON).scopes.find(({ scope }) => scope === 'venue:paper')).not.toHaveProperty(
      'sealed_at',
    );
    desk.now += 40;
    desk.settle('r', 'fenced');
    expect(desk.effects.filter(({ kind }) => kind !== 'order')).toEqual([
      { kind: 'sealed', scope: 'venue:paper', state: 'halt', epoch: NOON + 1, halted_at: NOON, at: NOON + 40 },
    ]);
    desk.settle('r', 'closed');
    expect(desk.effects.filter(({ kind }) => kind !== 'order')).toEqual([]);
  });

  it('denies a thousand requests of one batch as it denies one', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    const answers = desk.permits(Array.from({ length: 1_000 }, (_, at) => orderRequest(`p${at}`)));
    expect(new Set(answers.map(outcomeOf))).toEqual(new Set(['EmergencyHalted']));
  });
});
