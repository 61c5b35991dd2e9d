/** What people are shown of what scopes earned, are worth and hold. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { figuresOf } from '../../src/emergency/figures';
import { reducibleOf } from '../../src/emergency/reducible';
import { DeskAtWork, orderRequest } from '../support/desk-at-work';

const MINE = { bot_id: 'b', strategy_id: 's' };
const figures = (desk: DeskAtWork) => figuresOf(desk.state, desk.now);
const scopeOf = (desk: DeskAtWork, scope = 'global') => figures(desk).scopes.find((each) => each.scope === scope);

describe('the figures of a desk', () => {
  it('that has done nothing are those of everything alone, and none of it is worth anything', () => {
    const { scopes, positions, currency } = figures(new DeskAtWork());
    expect(positions).toEqual([]);
    expect(currency).toBe('USDT');
    expect(scopes).toEqual([{ scope: 'global', realized: '0', fees: '0', unrealized: '0', exposure: '0' }]);
  });

  it('hold each position with what it cost, what it is worth, and who holds it', () => {
    const desk = new DeskAtWork();
    desk.bot('b');
    desk.fill({ ...MINE, filled_quantity: '2', filled_notional: '200', fees: '1' });
    desk.price('110');
    expect(figures(desk).positions).toMatchObject([
      {
        ...{ account: 'main', venue: 'paper', symbol: 'BTC/USDT', quantity: '2', cost: '200', price: '110' },
        ...{ notional: '220', unrealized: '20' },
        parts: [
          { scope: 'bot:b', quantity: '2', notional: '220', unrealized: '20' },
          { scope: 'strategy:s', quantity: '2', notional: '220', unrealized: '20' },
        ],
      },
    ]);
    for (const scope of ['global', 'venue:paper', 'symbol:BTC/USDT', 'bot:b', 'strategy:s']) {
      expect(scopeOf(desk, scope)).toMatchObject({ unrealized: '20', exposure: '220', fees: '1' });
    }
  });

  it('hold a position of an endless price at exactly what was paid for it', () => {
    const desk = new DeskAtWork();
    desk.fill({ filled_quantity: '3', filled_notional: '10.01' });
    expect(figures(desk).positions).toMatchObject([
      { cost: '10.01', price: '3.33666666666666666667', notional: '10.01000000000000000001', unrealized: '0' },
    ]);
  });

  it('take a price times a quantity with all the digits it has', () => {
    const desk = new DeskAtWork();
    const notional = '1234567890123456789012345678.123456789012345678901234567891';
    desk.limits({ max_position_notional: null });
    expect(desk.fill({ filled_quantity: '10000000000000', filled_notional: notional })).toEqual({ kind: 'accepted' });
    expect(figures(desk).positions).toMatchObject([{ cost: notional }]);
    expect(desk.fill({ filled_notional: `${notional}1` })).toMatchObject({ kind: 'refused' });
  });

  it('realise in all exactly what was received less what was paid, however prices divide', () => {
    const fill = fc.record({
      side: fc.constantFrom('buy', 'sell'),
      quantity: fc.integer({ min: 1, max: 50 }),
      cents: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(fill, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 99 }), (fills, last) => {
        const desk = new DeskAtWork({ checks: false });
        let [held, earned] = [0, 0];
        const trade = (side: string, quantity: number, cents: number) => {
          desk.fill({ side, filled_quantity: String(quantity), filled_notional: (cents / 100).toFixed(2) });
          held += side === 'buy' ? quantity : -quantity;
          earned += side === 'buy' ? -cents : cents;
        };
        for (const { side, quantity, cents } of fills) trade(side, quantity, cents);
        if (held !== 0) trade(held > 0 ? 'sell' : 'buy', Math.abs(held), last);
        expect(figures(desk).positions).toEqual([]);
        expect(scopeOf(desk)?.realized).toBe((earned / 100).toFixed(2).replace(/\.?0+$/, ''));
      }),
    );
  });

  it('say what was realised today, and what a scope is worth against its best', () => {
    const desk = new DeskAtWork();
    desk.mark('1000');
    desk.now += 1;
    desk.fill({ filled_quantity: '1', filled_notional: '100' });
    desk.fill({ side: 'sell', filled_quantity: '1', filled_notional: '90', fees: '1' });
    expect(scopeOf(desk)).toMatchObject({
      ...{ realized: '-10', fees: '1', exposure: '0', equity: '989', high_water: '1000', drawdown_percent: '1.1' },
    });
  });

  it('have no gain for parts that cancel each other out in their account', () => {
    const desk = new DeskAtWork();
    desk.bot('b');
    desk.bot('c');
    desk.fill({ bot_id: 'b' });
    desk.fill({ bot_id: 'c', side: 'sell' });
    desk.price('150');
    const [position] = figures(desk).positions;
    expect(position).toMatchObject({ quantity: '0', unrealized: '0' });
    expect(position?.parts.map(({ quantity, unrealized }) => [quantity, unrealized])).toEqual([
      ['1', '0'],
      ['-1', '0'],
    ]);
  });
});

describe('what may be reduced', () => {
  const question = { venue: 'paper', account: 'main', symbol: 'BTC/USDT', side: 'sell' } as const;

  it('is what fills have proven, in the account and for whoever asks, less what is being reduced', () => {
    const desk = new DeskAtWork();
    desk.bot('b');
    desk.fill({ bot_id: 'b', filled_quantity: '2', filled_notional: '200' });
    desk.fill({ filled_quantity: '3', filled_notional: '300' });
    expect(reducibleOf(desk.state, question)).toBe('5');
    expect(reducibleOf(desk.state, { ...question, bot_id: 'b' })).toBe('2');
    desk.permits([orderRequest('p', { bot_id: 'b', side: 'sell', quantity: '1.5' })]);
    expect(reducibleOf(desk.state, { ...question, bot_id: 'b' })).toBe('0.5');
    expect(reducibleOf(desk.state, { ...question, bot_id: 'b', strategy_id: 'nobody' })).toBe('0');
  });

  it('is nothing on the side that adds, and of what nobody holds', () => {
    const desk = new DeskAtWork();
    desk.fill();
    expect(reducibleOf(desk.state, { ...question, side: 'buy' })).toBe('0');
    expect(reducibleOf(desk.state, { ...question, symbol: 'ETH/USDT' })).toBe('0');
  });
});
