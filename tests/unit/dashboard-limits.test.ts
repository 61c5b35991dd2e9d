import { describe, expect, it } from '@jest/globals';
import { LIMITS, changesOf, draftOf, isSame, standingOf } from '../../dashboard/src/emergency/limit-draft';
import { commandLine } from '../../dashboard/src/emergency/facts';
import type { DeskScope } from '../../dashboard/src/wire';
import { readLimits } from '../../src/emergency/limits';
import { deskAnswer } from '../../src/gateway/answers-desk';

const SCOPE: DeskScope = {
  ...{ scope: 'global', state: 'normal', effective_state: 'normal', epoch: 7, causes: [] },
  ...{ held: '0', reserved: '0', open_orders: 0, unsettled: 0, auto_halt: false },
  limits: [
    { limit: 'daily_loss', allowed: '500', used: '50.000000001', utilization: '0.1' },
    { limit: 'max_order_notional', allowed: '100' },
  ],
};

describe('limits as the page sets them', () => {
  it('are those the desk knows, each of them', () => {
    const { options } = deskAnswer.shape.scopes.element.shape.limits.element.shape.limit;
    expect(LIMITS.map(([name]) => name).toSorted()).toEqual([...options].toSorted());
    expect(() => readLimits(Object.fromEntries(LIMITS.map(([name]) => [name, null])))).not.toThrow();
  });

  it('begin as they stand; a scope the desk does not list has none and would halt', () => {
    expect(draftOf(SCOPE)).toMatchObject({ auto_halt: false, texts: { daily_loss: '500', order_rate: '' } });
    expect(draftOf(undefined)).toMatchObject({ auto_halt: true, texts: { daily_loss: '' } });
  });

  it('are named when they are changed and not otherwise, an empty one as taken away', () => {
    const seen = draftOf(SCOPE);
    const texts = { ...seen.texts, daily_loss: ' 300 ', max_order_notional: '', order_rate: '5' };
    expect(changesOf(seen, { ...seen, texts })).toEqual({
      limits: { daily_loss: '300', max_order_notional: null, order_rate: '5' },
      words: ['daily_loss: 500 → 300', 'max_order_notional: 100 → none', 'order_rate: none → 5'],
    });
    expect(changesOf(seen, { ...seen, auto_halt: true })).toEqual({
      ...{ limits: {}, auto_halt: true },
      words: ['halts at a breach: yes'],
    });
    expect(isSame(seen, { ...seen })).toBe(true);
    expect(isSame(seen, { ...seen, auto_halt: true })).toBe(false);
  });

  it('are said with what holds and how far it is used', () => {
    expect([undefined, ...SCOPE.limits].map(standingOf)).toEqual([
      'not set',
      'now 500, 50 used (10.0 %)',
      'now 100, judged per order',
    ]);
  });

  it('are set from the command line by the whole name of the scope', () => {
    expect(commandLine('set_limits', 'symbol:BTC/USDT')).toContain('limits set symbol:BTC/USDT daily_loss=500');
  });
});
