/** The curves of a bot or a strategy, made of its series. For the screen: what is decided with amounts, the desk decides. Pure. */
import type { EquityPoint, FillMoment } from '../wire';

export interface CurvePoint {
  /** ISO 8601. */
  readonly at: string;
  readonly equity: string;
}

/** Moments at which nobody knew its worth are left out. */
export function equityCurve(points: readonly EquityPoint[]): readonly CurvePoint[] {
  return points.flatMap(({ at, equity }) => (equity == null ? [] : [{ at, equity }]));
}

/** How far below its highest worth it was, in percent, downwards. */
export function drawdownCurve(points: readonly EquityPoint[]): readonly CurvePoint[] {
  return points.flatMap(({ at, equity, high_water }) => {
    const [now, high] = [Number(equity ?? Number.NaN), Number(high_water ?? Number.NaN)];
    return high > 0 && !Number.isNaN(now) ? [{ at, equity: (Math.min(0, now / high - 1) * 100).toFixed(4) }] : [];
  });
}

/** What was realised since the window began, fees off. */
export function profitCurve(fills: readonly FillMoment[]): readonly CurvePoint[] {
  return fills.map(({ at, profit }) => ({ at, equity: profit }));
}
