/** Losses, drawdown and the trading day. */
import { describe, expect, it } from '@jest/globals';
import { statusOf } from '../../src/emergency/decide';
import { tradingDayOf } from '../../src/emergency/trading-day';
import { DeskAtWork, NOON, orderRequest } from '../support/desk-at-work';

const at = (iso: string) => Date.parse(iso);
const limitEffects = (desk: DeskAtWork) =>
  desk.effects.flatMap((effect) => (effect.kind === 'limit' ? [`${effect.limit} ${effect.level} ${effect.used}`] : []));
const scopeOf = (desk: DeskAtWork, scope = 'global') =>
  statusOf(desk.state, desk.now).scopes.find((each) => each.scope === scope)!;

describe('the trading day', () => {
  it.each([
    ['UTC', '2026-01-05T12:00:00Z', '2026-01-05T00:00:00Z', '2026-01-06T00:00:00Z'],
    ['UTC', '2026-01-05T00:00:00Z', '2026-01-05T00:00:00Z', '2026-01-06T00:00:00Z'],
    ['UTC', '2026-01-04T23:59:59.999Z', '2026-01-04T00:00:00Z', '2026-01-05T00:00:00Z'],
    ['Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
    ['America/New_York', '2026-01-05T04:59:00Z', '2026-01-04T05:00:00Z', '2026-01-05T05:00:00Z'],
    ['Asia/Kathmandu', '2026-01-05T12:00:00Z', '2026-01-04T18:15:00Z', '2026-01-05T18:15:00Z'],
    ['Pacific/Apia', '2011-12-29T12:00:00Z', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z'],
    ['UTC', '1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '1970-01-02T00:00:00Z'],
  ])('in %s at %s begins and ends at its midnights', (zone, moment, starts, ends) => {
    expect(tradingDayOf(at(moment), zone)).toEqual({ starts: at(starts), ends: at(ends) });
  });
});

describe('a daily loss', () => {
  it('exactly at the limit is within; one cent over halts in the same step', () => {
    const desk = new DeskAtWork();
    desk.lose(500);
    expect(desk.stateOf()).toBe('alert');
    expect(desk.used('daily_loss')).toBe('500');
    desk.lose(0.01);
    expect(desk.stateOf()).toBe('halt');
    expect(desk.used('daily_loss')).toBe('500.01');
    expect(limitEffects(desk)).toContain('daily_loss exceeded 500.01');
    expect(desk.state.scopes['global']!.causes).toContainEqual(
      expect.objectContaining({ id: 'limit:daily_loss', state: 'halt', actor: 'desk' }),
    );
    expect(desk.effects).toContainEqual(
      expect.objectContaining({ kind: 'audit', action: 'halt', reason: 'daily_loss of global: 500.01 of 500' }),
    );
    expect(desk.ask()).toBe('EmergencyHalted');
  });

  it('warns at 80 percent, once', () => {
    const desk = new DeskAtWork();
    desk.lose(399.99);
    expect(desk.stateOf()).toBe('normal');
    expect(limitEffects(desk)).toEqual(['daily_loss update 399.99', 'max_position_notional update 0']);
    desk.lose(0.01);
    expect(desk.stateOf()).toBe('alert');
    expect(limitEffects(desk)).toContain('daily_loss approaching 400');
    expect(desk.resume().ok).toBe(true);
    desk.lose(1);
    expect(limitEffects(desk)).not.toContain('daily_loss approaching 401');
    expect(desk.stateOf()).toBe('normal');
  });

  it('of a profit is zero', () => {
    const desk = new DeskAtWork();
    desk.lose(-5_000);
    expect(desk.used('daily_loss')).toBe('0');
    desk.mark('1000');
    desk.now += 1;
    desk.mark('9000');
    expect(desk.used('daily_loss')).toBe('0');
  });

  it('counts fees, also those of an order that opens, and those reported later', () => {
    const desk = new DeskAtWork();
    desk.fill({ order_id: 'o', fees: '1.5' });
    desk.fill({ order_id: 'o', fees: '2.25' });
    expect(desk.used('daily_loss')).toBe('2.25');
    desk.fill({ side: 'sell', filled_notional: '99', fees: '0.5' });
    expect(desk.used('daily_loss')).toBe('3.75');
  });

  it('halts each scope by its own limit', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', {}, { daily_loss: '100' });
    desk.limits({ daily_loss: '50' }, 'strategy:s1');
    desk.lose(101, { bot_id: 'b1', strategy_id: 's1' });
    expect(['global', 'bot:b1', 'strategy:s1'].map((scope) => desk.stateOf(scope))).toEqual(['normal', 'halt', 'halt']);
  });

  it('without auto_halt only warns, and still lets nothing increase', () => {
    const desk = new DeskAtWork();
    desk.limits({}, 'global', { auto_halt: false });
    desk.lose(501);
    expect(desk.stateOf()).toBe('alert');
    desk.lose(1);
    expect(desk.ask()).toBe('LimitExceeded');
    desk.limits({}, 'global', { auto_halt: true });
    expect(desk.stateOf()).toBe('halt');
  });

  it('is judged anew when the limit is set', () => {
    const desk = new DeskAtWork();
    desk.lose(100);
    expect(desk.limits({ daily_loss: '99.99' }).state).toBe('halt');
    desk.limits({ daily_loss: null });
    expect(desk.resume().ok).toBe(true);
    desk.limits({ daily_loss: '0' });
    expect(desk.stateOf()).toBe('halt');
  });

  it.each([
    [{ daily_loss: 500 }],
    [{ daily_loss: '-1' }],
    [{ daily_loss: 'NaN' }],
    [{ daily_loss: '1e3' }],
    [{ max_open_orders: '1.5' }],
    [{ order_rate: 'ten' }],
    [{ weekly_loss: '1' }],
    ['500'],
  ])('cannot be limited by %j', (limits) => {
    const desk = new DeskAtWork();
    expect(desk.command({ action: 'set_limits', scope: 'global', limits }).error?.code).toBe('BadRequest');
  });
});

describe('midnight', () => {
  it('begins a new day, and no halt ends with the old one', () => {
    const desk = new DeskAtWork({ now: at('2026-01-05T23:59:59Z') });
    desk.lose(300);
    desk.now += 1_000;
    desk.lose(300);
    expect(desk.stateOf()).toBe('normal');
    desk.lose(201);
    expect(desk.stateOf()).toBe('halt');
    desk.now = at('2026-01-07T00:00:00Z');
    desk.tick();
    expect(desk.stateOf()).toBe('halt');
    expect(desk.used('daily_loss')).toBe('0');
    expect(desk.resume().ok).toBe(true);
    desk.lose(501);
    expect(desk.stateOf()).toBe('halt');
  });

  it('of a bot is that of its own zone', () => {
    const desk = new DeskAtWork({ now: at('2026-01-05T22:30:00Z') });
    desk.bot('berlin', { time_zone: 'Europe/Berlin' });
    desk.lose(100, { bot_id: 'berlin' });
    desk.now += 3_600_000;
    expect([desk.used('daily_loss', 'global'), scopeOf(desk, 'bot:berlin').day_start_equity]).toEqual(['100', '1000']);
    desk.limits({ daily_loss: '50' }, 'bot:berlin');
    desk.mark('900', { scope: 'bot:berlin', at: at('2026-01-05T22:59:00Z') });
    expect(desk.used('daily_loss', 'bot:berlin')).toBe('0');
    expect(desk.stateOf('bot:berlin')).toBe('normal');
  });

  it('comes an hour early in the clocks of a day of 23 hours', () => {
    const desk = new DeskAtWork({ now: at('2026-03-29T21:59:59.999Z'), time_zone: 'Europe/Berlin' });
    desk.lose(300);
    desk.lose(100, { at: at('2026-03-28T23:00:00Z') });
    expect(desk.used('daily_loss')).toBe('400');
    desk.lose(99, { at: at('2026-03-28T22:59:59.999Z') });
    expect(desk.used('daily_loss')).toBe('400');
    desk.now = at('2026-03-29T22:00:00Z');
    expect(desk.used('daily_loss')).toBe('0');
  });

  it('and a restart one second before it change nothing of the day', () => {
    const desk = new DeskAtWork({ now: at('2026-01-05T12:00:00Z') });
    desk.mark('1000');
    desk.now = at('2026-01-05T23:59:59Z');
    desk.mark('700');
    desk.state = JSON.parse(JSON.stringify(desk.state)) as typeof desk.state;
    expect(desk.used('daily_loss')).toBe('300');
    desk.now = at('2026-01-06T00:00:01Z');
    desk.mark('600');
    expect(scopeOf(desk)).toMatchObject({ day_start_equity: '700', equity: '600', high_water_mark: '1000' });
    expect(desk.used('daily_loss')).toBe('100');
  });

  it('is passed by a fill that arrives a day late, which counts on its own day', () => {
    const desk = new DeskAtWork();
    desk.lose(400);
    desk.now += 86_400_000;
    desk.lose(450);
    desk.lose(60, { at: NOON });
    expect(desk.used('daily_loss')).toBe('450');
    expect(desk.state.books['global']!.days.map(({ realized }) => realized)).toEqual(['-450', '-460']);
    expect(desk.stateOf()).toBe('alert');
    desk.lose(60, { at: NOON });
    expect(desk.stateOf()).toBe('halt');
    expect(limitEffects(desk)).toContain('daily_loss exceeded 520');
    expect(desk.resume().ok).toBe(true);
  });

  it('a late fill halts nothing where its loss is not limited, or marks tell what the scope is worth', () => {
    const desk = new DeskAtWork();
    desk.mark('10000');
    desk.now += 86_400_000;
    desk.mark('10000');
    desk.lose(600, { at: NOON + 1 });
    expect(desk.stateOf()).toBe('normal');
    desk.limits({ daily_loss: null });
    desk.lose(600, { at: NOON + 2 });
    expect(desk.stateOf()).toBe('normal');
  });

  it('the books keep a few days, and a fill before those moves the position alone', () => {
    const desk = new DeskAtWork();
    for (let day = 0; day < 7; day += 1) {
      desk.lose(1);
      desk.now += 86_400_000;
    }
    expect(desk.state.books['global']!.days).toHaveLength(5);
    const before = desk.state.books['global']!.days;
    desk.fill({ at: NOON, fees: '5' });
    expect(desk.state.books['global']!.days).toEqual(before);
    expect(Object.keys(desk.state.positions)).toHaveLength(1);
  });
});

describe('equity', () => {
  const day = at('2026-01-05T00:00:00Z');

  it('at the day’s start is the last mark at or before midnight, in whatever order marks arrive', () => {
    const desk = new DeskAtWork({ now: day + 10_000 });
    desk.mark('950', { at: day + 2_000 });
    expect(scopeOf(desk).day_start_equity).toBe('950');
    desk.mark('960', { at: day + 1_000 });
    expect(scopeOf(desk).day_start_equity).toBe('960');
    desk.mark('1010', { at: day - 5_000 });
    desk.mark('1000', { at: day });
    desk.mark('1020', { at: day - 6_000 });
    desk.mark('940', { at: day + 1_500 });
    expect(scopeOf(desk)).toMatchObject({ day_start_equity: '1000', equity: '950', high_water_mark: '1020' });
    expect(desk.used('daily_loss')).toBe('50');
  });

  it('before a mark of midnight is known, the worse of marks and fills counts', () => {
    const desk = new DeskAtWork();
    desk.lose(100);
    desk.mark('1000');
    expect(desk.used('daily_loss')).toBe('100');
    desk.now += 1;
    desk.mark('870');
    expect(desk.used('daily_loss')).toBe('130');
  });

  it('is moved by a loss at once, before the next mark says so, and once', () => {
    const desk = new DeskAtWork();
    desk.mark('5000', { at: day });
    desk.fill({ filled_quantity: '10', filled_notional: '1000' });
    desk.mark('5000');
    desk.now += 10;
    desk.price('90');
    expect(desk.used('daily_loss')).toBe('100');
    desk.fill({ side: 'sell', filled_quantity: '10', filled_notional: '450', fees: '1' });
    expect(desk.used('daily_loss')).toBe('551');
    expect(desk.stateOf()).toBe('halt');
    desk.mark('4449', { at: NOON + 10 });
    expect(desk.used('daily_loss')).toBe('551');
    desk.fill({ side: 'buy', filled_quantity: '1', filled_notional: '1', fees: '7', at: NOON });
    expect(desk.used('daily_loss')).toBe('551');
  });

  it('keeps what fills after a mark made of it when that mark comes late', () => {
    const desk = new DeskAtWork();
    desk.mark('5000');
    desk.now += 20;
    desk.fill({ fees: '30' });
    desk.mark('4990', { at: NOON + 10 });
    expect(scopeOf(desk).equity).toBe('4960');
    for (let n = 0; n < 40; n += 1) desk.fill({ fees: '1' });
    expect(scopeOf(desk).equity).toBe('4920');
  });

  it('of a part moves with the price that a fill of another brought', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', { starting_equity: '1000' }, { daily_loss: '20' });
    desk.bot('b2', { starting_equity: '1000' });
    desk.now += 1;
    desk.fill({ bot_id: 'b1' });
    desk.now += 1;
    desk.fill({ bot_id: 'b2', filled_notional: '70' });
    expect(scopeOf(desk, 'bot:b1')).toMatchObject({ equity: '970', state: 'halt' });
    expect(scopeOf(desk, 'bot:b2')).toMatchObject({ equity: '1000' });
  });

  it('paid in is no profit and paid out no loss', () => {
    const desk = new DeskAtWork();
    desk.mark('1000');
    const flow = (amount: string) => desk.command({ action: 'cash_flow', scope: 'global', amount, currency: 'USDT' });
    expect(flow('500').ok).toBe(true);
    desk.now += 10;
    desk.mark('1400');
    expect(desk.used('daily_loss')).toBe('100');
    expect(scopeOf(desk)).toMatchObject({ equity: '1400', high_water_mark: '1500' });
    flow('-900');
    expect(scopeOf(desk)).toMatchObject({ equity: '500', high_water_mark: '600' });
    expect(desk.used('daily_loss')).toBe('100');
    for (let n = 0; n < 100; n += 1) flow('1');
    expect(scopeOf(desk).equity).toBe('600');
    expect(desk.used('daily_loss')).toBe('100');
  });

  it('paid in before midnight, after the last mark, hides no loss of the next day', () => {
    const desk = new DeskAtWork({ now: at('2026-01-04T23:00:00Z') });
    desk.mark('1000');
    desk.now = at('2026-01-04T23:30:00Z');
    desk.command({ action: 'cash_flow', scope: 'global', amount: '1000', currency: 'USDT' });
    desk.now = at('2026-01-05T01:00:00Z');
    desk.mark('1600');
    expect(desk.used('daily_loss')).toBe('400');
  });

  it('opens the day with what fills made of it since the last mark, so that no profit of before hides a loss', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', { starting_equity: '10000' }, { daily_loss: '500' });
    desk.now += 1;
    desk.lose(-2_000, { bot_id: 'b1' });
    desk.now += 3 * 86_400_000;
    desk.mark('10000', { scope: 'bot:b1', at: NOON });
    expect(scopeOf(desk, 'bot:b1').day_start_equity).toBe('12000');
    desk.lose(501, { bot_id: 'b1' });
    expect(desk.used('daily_loss', 'bot:b1')).toBe('501');
    expect(desk.stateOf('bot:b1')).toBe('halt');
  });

  it('is lessened today by a loss of before midnight that comes after it', () => {
    const desk = new DeskAtWork();
    desk.mark('10000');
    desk.now = at('2026-01-06T00:00:01Z');
    desk.lose(501, { at: at('2026-01-05T23:59:59Z') });
    expect(scopeOf(desk).day_start_equity).toBe('10000');
    expect(desk.stateOf()).toBe('halt');
  });

  it('opens the day without the losses of the days before, however long ago the last mark was', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', { starting_equity: '10000' }, { daily_loss: '500' });
    for (let day = 0; day < 4; day += 1, desk.now += 86_400_000) {
      desk.now += 1;
      desk.lose(200, { bot_id: 'b1' });
      expect(desk.used('daily_loss', 'bot:b1')).toBe('200');
    }
    expect(desk.stateOf('bot:b1')).toBe('normal');
    desk.tick();
    desk.mark('9300', { scope: 'bot:b1', at: Date.parse('2026-01-08T23:00:00Z') });
    expect(scopeOf(desk, 'bot:b1').day_start_equity).toBe('9300');
  });

  it('paid into a scope without marks is nothing to it', () => {
    const desk = new DeskAtWork();
    desk.command({ action: 'cash_flow', scope: 'strategy:s', amount: '5', currency: 'USDT' });
    expect(desk.state.books).not.toHaveProperty('strategy:s');
  });

  it.each([
    [{ equity: 1000 }, 'InvalidInput'],
    [{ equity: 'NaN' }, 'InvalidInput'],
    [{ at: '0' }, 'InvalidInput'],
    [{ at: 1e17 }, 'InvalidInput'],
    [{ scope: 'x' }, 'UnknownScope'],
    [{ scope: 'bot:nobody' }, 'UnknownScope'],
    [{ currency: 'EUR' }, 'WrongCurrency'],
  ])('is not read from a mark with %j', (over, code) => {
    const desk = new DeskAtWork();
    const before = desk.state;
    expect(desk.mark('1000', over)).toMatchObject({ kind: 'refused', error: { code } });
    expect(desk.effects).toEqual([expect.objectContaining({ kind: 'audit', action: 'mark', outcome: code })]);
    expect(desk.state).toEqual(before);
  });

  it('marked by a clock that is ahead counts as now', () => {
    const desk = new DeskAtWork();
    desk.mark('1000', { at: NOON + 1_000_000 });
    desk.now += 1;
    desk.mark('900');
    expect(scopeOf(desk).equity).toBe('900');
  });
});

describe('drawdown', () => {
  it('is measured from the high-water mark, and exactly at the limit is within', () => {
    const desk = new DeskAtWork();
    desk.limits({ daily_loss: null });
    desk.mark('1000');
    desk.mark('2000');
    desk.mark('1600');
    expect(desk.used('max_drawdown_percent')).toBe('20');
    expect(desk.stateOf()).toBe('alert');
    desk.mark('1599.99');
    expect(desk.stateOf()).toBe('halt');
  });

  it('of what was never worth anything is all of it once it falls', () => {
    const desk = new DeskAtWork();
    desk.limits({ daily_loss: null });
    desk.mark('0');
    expect(desk.used('max_drawdown_percent')).toBe('0');
    desk.mark('-1');
    expect(desk.used('max_drawdown_percent')).toBe('100');
  });

  it('is measured from what fills made of equity, too, and not from its last mark alone', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', { starting_equity: '1000' }, { daily_loss: null, max_drawdown_percent: '10' });
    desk.now += 1;
    desk.lose(-1_000, { bot_id: 'b1', fees: '0.5' });
    expect(scopeOf(desk, 'bot:b1')).toMatchObject({ equity: '1999', high_water_mark: '1999' });
    desk.lose(202, { bot_id: 'b1' });
    expect(desk.stateOf('bot:b1')).toBe('halt');
  });

  it('of a bot begins with its starting equity', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', { starting_equity: '1000' }, { max_drawdown_percent: '10' });
    desk.now += 1;
    desk.lose(101, { bot_id: 'b1' });
    expect(desk.stateOf('bot:b1')).toBe('halt');
    expect(desk.stateOf()).toBe('normal');
  });
});

describe('losses in a row', () => {
  it('halt at the number that is too many; a profit in between begins anew', () => {
    const desk = new DeskAtWork();
    desk.limits({ consecutive_losses: '3' });
    desk.lose(1);
    desk.lose(1);
    desk.lose(-1);
    desk.lose(1);
    desk.lose(1);
    expect(desk.stateOf()).toBe('normal');
    desk.lose(1);
    expect(desk.stateOf()).toBe('halt');
    expect(desk.resume().ok).toBe(true);
    expect(desk.used('consecutive_losses')).toBe('0');
    desk.lose(1);
    expect(desk.stateOf()).toBe('normal');
  });

  it('count an order once, however many fills it has', () => {
    const desk = new DeskAtWork();
    desk.limits({ consecutive_losses: '5' });
    desk.fill({ filled_quantity: '3', filled_notional: '300' });
    for (const filled of [1, 2, 3]) {
      desk.fill({
        order_id: 'exit',
        side: 'sell',
        filled_quantity: String(filled),
        filled_notional: String(filled * 90),
      });
    }
    expect(desk.used('consecutive_losses')).toBe('1');
  });
});

describe('a position', () => {
  const position = (desk: DeskAtWork) => Object.values(desk.state.positions)[0];

  it('has an average cost, in both directions and across zero', () => {
    const desk = new DeskAtWork();
    desk.fill({ filled_quantity: '1', filled_notional: '100' });
    desk.fill({ filled_quantity: '3', filled_notional: '360' });
    expect(position(desk)).toMatchObject({ quantity: '4', cost: '460' });
    desk.fill({ side: 'sell', filled_quantity: '1', filled_notional: '125' });
    expect(scopeOf(desk).realized).toBe('10');
    desk.fill({ side: 'sell', filled_quantity: '5', filled_notional: '500' });
    expect(position(desk)).toMatchObject({ quantity: '-2', cost: '200' });
    expect(scopeOf(desk).realized).toBe('-35');
    desk.fill({ side: 'sell', filled_quantity: '1', filled_notional: '130' });
    desk.fill({ side: 'buy', filled_quantity: '3', filled_notional: '300' });
    expect(desk.state.positions).toEqual({});
    expect(scopeOf(desk)).toMatchObject({ realized: '-5', held: '0' });
  });

  it('breaches its limit by its price, and halts', () => {
    const desk = new DeskAtWork();
    desk.limits({ max_position_notional: '150' });
    desk.fill();
    desk.price('150');
    expect(desk.stateOf()).toBe('alert');
    desk.price('150.01');
    expect(desk.stateOf()).toBe('halt');
    expect(desk.resume().error?.code).toBe('LimitBreached');
  });

  it('is moved once by a fill that is reported again, late, or out of order', () => {
    const desk = new DeskAtWork();
    const report = (quantity: string, notional: string, over: object = {}) =>
      desk.fill({ order_id: 'o', filled_quantity: quantity, filled_notional: notional, ...over });
    report('2', '200');
    report('1', '100');
    report('2', '200');
    report('0', '0');
    expect(position(desk)).toMatchObject({ quantity: '2', cost: '200' });
  });

  it.each([
    [{ side: 'sell' }, 'InvalidInput'],
    [{ symbol: 'ETH/USDT' }, 'InvalidInput'],
    [{ filled_quantity: '1', filled_notional: '101' }, 'InvalidInput'],
    [{ filled_quantity: '2', filled_notional: '100' }, 'InvalidInput'],
    [{ filled_quantity: '2', filled_notional: '99' }, 'InvalidInput'],
    [{ filled_quantity: 2 }, 'InvalidInput'],
    [{ filled_notional: 'NaN' }, 'InvalidInput'],
    [{ fees: 1 }, 'InvalidInput'],
    [{ currency: 'EUR' }, 'WrongCurrency'],
    [{ at: Number.NaN }, 'InvalidInput'],
  ])('is not moved by a report with %j', (over, code) => {
    const desk = new DeskAtWork();
    desk.fill({ order_id: 'o' });
    const before = desk.state;
    expect(desk.fill({ order_id: 'o', ...over })).toMatchObject({ kind: 'refused', error: { code } });
    expect(desk.state).toEqual(before);
  });

  it('is not priced by what is no price', () => {
    const desk = new DeskAtWork();
    desk.fill();
    for (const price of ['0', '-1', '1e3', 'NaN']) expect(desk.price(price)).toMatchObject({ kind: 'refused' });
    expect(desk.take({ kind: 'price', price: null })).toMatchObject({
      kind: 'refused',
      error: { code: 'InvalidInput' },
    });
    expect(position(desk)).toMatchObject({ price: '100' });
  });

  it('is not moved twice by an order that was forgotten', () => {
    const desk = new DeskAtWork({ checks: false });
    desk.limits({ max_position_notional: null });
    desk.fill({ order_id: 'old' });
    desk.now += 1_000;
    for (let n = 0; n < 2_100; n += 1, desk.now += 1) desk.fill();
    expect(desk.fill({ order_id: 'old', at: NOON })).toMatchObject({ kind: 'refused', error: { code: 'StaleInput' } });
    desk.now += 1;
    expect(desk.fill({ order_id: 'new' })).toEqual({ kind: 'accepted' });
    expect(position(desk)!.quantity).toBe('2102');
  });

  it('is moved by the first fill of an order that is permitted, however late it is heard of', () => {
    const desk = new DeskAtWork({ checks: false });
    desk.limits({ max_position_notional: null });
    desk.permits([orderRequest('p', { client_order_id: 'late' }), orderRequest('q')]);
    const filled_at = desk.now;
    desk.now += 1_000;
    for (let n = 0; n < 2_100; n += 1, desk.now += 1) desk.fill({ at: desk.now });
    expect(desk.state.orders_forgotten_until).toBeGreaterThan(filled_at);
    const late = { order_id: 'late', permit_id: 'p', at: filled_at };
    expect(desk.fill(late)).toEqual({ kind: 'accepted' });
    expect(desk.fill(late)).toEqual({ kind: 'accepted' });
    expect(position(desk)!.quantity).toBe('2101');
    expect(desk.fill({ ...late, order_id: 'another' })).toMatchObject({ error: { code: 'StaleInput' } });
  });

  it('is moved once by each part of an order that rests while thousands of others come and go', () => {
    const desk = new DeskAtWork({ checks: false });
    desk.limits({ max_position_notional: null });
    desk.permits([orderRequest('p', { client_order_id: 'slow', quantity: '3' })]);
    desk.settle('p', 'acknowledged');
    const part = (filled_quantity: string) =>
      desk.fill({
        ...{ order_id: 'slow', permit_id: 'p', filled_quantity, at: desk.now },
        filled_notional: `${filled_quantity}00`,
      });
    part('1');
    for (const [filled, held] of [
      ['2', '2602'],
      ['3', '5203'],
    ] as const) {
      for (let n = 0; n < 2_600; n += 1, desk.now += 1) desk.fill({ at: desk.now });
      expect(part(filled)).toEqual({ kind: 'accepted' });
      expect(position(desk)!.quantity).toBe(held);
    }
    desk.settle('p', 'closed', { filled_quantity: '3' });
    for (let n = 0; n < 2_600; n += 1, desk.now += 1) desk.fill({ at: desk.now });
    expect(desk.state.orders.some((group) => Object.hasOwn(group, 'slow'))).toBe(false);
  });
});

describe('the books', () => {
  it('that say nothing of today make room for others', () => {
    const desk = new DeskAtWork({ checks: false });
    desk.limits({ max_position_notional: null });
    desk.limits({ daily_loss: '9' }, 'symbol:KEPT');
    desk.fill({ symbol: 'KEPT' });
    desk.bot('kept');
    for (let n = 0; n < 410; n += 1) desk.fill({ symbol: `S${n}`, fees: '0' });
    expect(Object.keys(desk.state.books).length).toBeGreaterThan(410);
    desk.now += 86_400_000;
    desk.fill({ symbol: 'NEW' });
    const left = Object.keys(desk.state.books).sort();
    expect(left).toEqual(['bot:kept', 'global', 'symbol:KEPT', 'symbol:NEW', 'venue:paper']);
  });
});
