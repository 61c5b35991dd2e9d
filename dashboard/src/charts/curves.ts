/** The curves of a bot or a strategy, made of its series. For the screen: what is decided with amounts, the desk decides. Pure. */
import type { EquityPoint, FillMoment, ResultPoint } from '../wire';

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

/** What a strategy came to, which has no equity of its own: realised and unrealised, fees off. */
export function resultCurve(points: readonly ResultPoint[]): readonly CurvePoint[] {
  return points.map(({ at, realized, unrealized, fees }) => {
    return { at, equity: (Number(realized) + Number(unrealized) - Number(fees)).toFixed(4) };
  });
}

/** What was realised since the window began, fees off. */
export function profitCurve(fills: readonly FillMoment[]): readonly CurvePoint[] {
  return fills.map(({ at, profit }) => ({ at, equity: profit }));
}

/** More than a drawing has pixels across. */
const MOST_DRAWN = 4_000;

/** Of more points than are drawn: the first, lowest, highest and last of each stretch, so that no extreme is lost. */
export function thinned(points: readonly EquityPoint[], most = MOST_DRAWN): readonly EquityPoint[] {
  if (points.length <= most) return points;
  const stretch = Math.ceil((4 * points.length) / most);
  const count = Math.ceil(points.length / stretch);
  return Array.from({ length: count }, (_, at) => outlineOf(points.slice(at * stretch, (at + 1) * stretch))).flat();
}

function outlineOf(stretch: readonly EquityPoint[]): readonly EquityPoint[] {
  const worths = stretch.map(({ equity }) => Number(equity));
  let [low, high] = [0, 0];
  for (const [at, worth] of worths.entries()) {
    if (worth < (worths[low] ?? worth)) low = at;
    if (worth > (worths[high] ?? worth)) high = at;
  }
  const kept = new Set([0, low, high, stretch.length - 1]);
  return stretch.filter((_, at) => kept.has(at));
}
