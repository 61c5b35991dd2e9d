import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drawdownCurve, equityCurve, profitCurve, resultCurve, thinned } from '../../dashboard/src/charts/curves';
import { linesOf, marksOn } from '../../dashboard/src/charts/marks';
import type { FillMoment, HaltMoment } from '../../dashboard/src/wire';

const at = (second: number) => new Date(1_767_600_000_000 + second * 1_000).toISOString();
const fill = (second: number, side: string, profit = '0'): FillMoment => ({
  ...{ at: at(second), order_id: `o${second}`, venue: 'paper', symbol: 'BTC/USDT', side, quantity: '0.50', profit },
});
const halt = (second: number): HaltMoment => ({
  ...{ at: at(second), state: 'halt', scope: 'global', actor: 'ann', reason: 'odd' },
});
const times = [0, 10, 20].map((second) => Date.parse(at(second)) / 1_000);
const placed = (fills: readonly FillMoment[], halts: readonly HaltMoment[] = []) =>
  marksOn(times, { fills, halts }).map(({ kind, time }) => `${kind} ${time - (times[0] ?? 0)}`);

describe('what happened on a curve', () => {
  it('is marked at the last point that is not later, or at the first', () => {
    expect(placed([fill(-5, 'buy'), fill(10, 'sell'), fill(19.9, 'buy'), fill(99, 'sell')], [halt(15)])).toEqual([
      ...['bought 0', 'sold 10', 'bought 10', 'halted 10', 'sold 20'],
    ]);
    expect(marksOn([], { fills: [fill(1, 'buy')], halts: [] })).toEqual([]);
  });

  it('is marked once per kind and point, however often it happened there', () => {
    expect(placed([fill(11, 'buy'), fill(12, 'buy'), fill(13, 'sell')])).toEqual(['bought 10', 'sold 10']);
  });

  it('is told in words too, newest first', () => {
    const lines = linesOf({ fills: [fill(1, 'buy'), fill(3, 'sell', '12.345')], halts: [halt(2)] });
    expect(lines.map(({ what, words }) => `${what} ${words}`)).toEqual([
      '▼ sold 0.5 BTC/USDT at paper; profit so far 12.34',
      '■ halt global by ann: odd',
      '▲ bought 0.5 BTC/USDT at paper; profit so far 0',
    ]);
    expect(new Set(lines.map(({ key }) => key)).size).toBe(3);
  });
});

describe('curves', () => {
  it('leave out moments at which nobody knew the worth', () => {
    const points = [{ at: at(0), equity: '100' }, { at: at(1), equity: null }, { at: at(2) }];
    expect(equityCurve(points)).toEqual([{ at: at(0), equity: '100' }]);
    expect(drawdownCurve(points)).toEqual([]);
  });

  it('show a drawdown downwards from the highest worth, and none above it', () => {
    const point = (equity: string) => ({ at: at(0), equity, high_water: '200' });
    expect([point('150'), point('200'), point('210')].flatMap((each) => drawdownCurve([each]))).toEqual([
      ...[
        { at: at(0), equity: '-25.0000' },
        { at: at(0), equity: '0.0000' },
      ],
      { at: at(0), equity: '0.0000' },
    ]);
    expect(drawdownCurve([{ at: at(0), high_water: '200' }])).toEqual([]);
  });

  it('show what a strategy came to, fees off, with what it has not sold yet', () => {
    const point = { at: at(0), realized: '2.5', unrealized: '-1', fees: '0.25' };
    expect(resultCurve([point])).toEqual([{ at: at(0), equity: '1.2500' }]);
  });

  it('show the profit with each fill', () => {
    expect(profitCurve([fill(1, 'buy', '-0.5'), fill(2, 'sell', '9')]).map(({ equity }) => equity)).toEqual([
      '-0.5',
      '9',
    ]);
  });

  it('of very many points keep their ends and every extreme, in order, and are few', () => {
    const worths = fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 500 });
    fc.assert(
      fc.property(worths, (all) => {
        const points = all.map((worth, second) => ({ at: at(second), equity: String(worth) }));
        const kept = thinned(points, ({ equity }) => Number(equity), 40);
        expect(kept.length).toBeLessThanOrEqual(40);
        expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
        const drawn = kept.map(({ equity }) => Number(equity));
        expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([Math.min(...all), Math.max(...all)]);
        expect(kept).toEqual(points.filter((point) => kept.includes(point)));
        if (points.length <= 40) expect(kept).toEqual(points);
      }),
    );
  });
});
