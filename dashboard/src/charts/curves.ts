/**
 * The curves of a bot or a strategy, made of its series. For the screen: what is decided with amounts, the desk decides. Pure.
 *
 * Of a long series the worth of every point is read once, and which are drawn is decided by that; texts and times are made of those alone.
 */
import type { EquityPoint, FillMoment, ResultPoint } from '../wire';

export interface CurvePoint {
  /** ISO 8601. */
  readonly at: string;
  readonly equity: string;
}

/** Moments at which nobody knew its worth are left out. */
export function equityCurve(points: readonly EquityPoint[]): readonly CurvePoint[] {
  const drawn = thinned(points, ({ equity }) => Number(equity ?? Number.NaN));
  return drawn.map(({ at, equity }) => ({ at, equity: equity ?? '' }));
}

/** How far below its highest worth it was, in percent, downwards. */
export function drawdownCurve(points: readonly EquityPoint[]): readonly CurvePoint[] {
  return thinned(points, drawdownAt).map((point) => ({ at: point.at, equity: drawdownAt(point).toFixed(4) }));
}

function drawdownAt({ equity, high_water }: EquityPoint): number {
  const high = Number(high_water ?? Number.NaN);
  return high > 0 ? Math.min(0, Number(equity ?? Number.NaN) / high - 1) * 100 : Number.NaN;
}

/** What a strategy came to, which has no equity of its own: realised and unrealised, fees off. */
export function resultCurve(points: readonly ResultPoint[]): readonly CurvePoint[] {
  return thinned(points, resultAt).map((point) => ({ at: point.at, equity: resultAt(point).toFixed(4) }));
}

function resultAt({ realized, unrealized, fees }: ResultPoint): number {
  return Number(realized) + Number(unrealized) - Number(fees);
}

/** What was realised since the window began, fees off. */
export function profitCurve(fills: readonly FillMoment[]): readonly CurvePoint[] {
  return thinned(fills, ({ profit }) => Number(profit)).map(({ at, profit }) => ({ at, equity: profit }));
}

/** More than a drawing has pixels across. */
const MOST_DRAWN = 4_000;

/**
 * Those that are drawn, in their order: where there are more than `most`, the first, lowest, highest and last of each stretch, so that no
 * extreme is lost. Those without a worth (`NaN`) are left out.
 */
export function thinned<T>(points: readonly T[], worthOf: (point: T) => number, most = MOST_DRAWN): readonly T[] {
  const worths = new Float64Array(points.length);
  const places = new Uint32Array(points.length);
  let count = 0;
  // A loop: it goes through a hundred thousand before the first of them is drawn.
  for (let place = 0; place < points.length; place += 1) {
    const worth = worthOf(points[place] as T);
    if (Number.isNaN(worth)) continue;
    worths[count] = worth;
    places[count] = place;
    count += 1;
  }
  const stretch = count <= most ? 1 : Math.ceil((4 * count) / most);
  const kept: T[] = [];
  for (let from = 0; from < count; from += stretch) {
    let drawn = -1;
    for (const each of outlineOf(worths, from, Math.min(count, from + stretch))) {
      if (each > drawn) kept.push(points[places[each] ?? 0] as T);
      drawn = each;
    }
  }
  return kept;
}

/** Places of the first, lowest, highest and last from `from` up to `to`, in their order; one may stand there more than once. */
function outlineOf(worths: Float64Array, from: number, to: number): readonly number[] {
  const at = (place: number) => worths[place] ?? 0;
  let [low, high] = [from, from];
  for (let place = from + 1; place < to; place += 1) {
    if (at(place) < at(low)) low = place;
    if (at(place) > at(high)) high = place;
  }
  return [from, Math.min(low, high), Math.max(low, high), to - 1];
}
