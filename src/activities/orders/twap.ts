/**
 * One order cut into slices over a span of time.
 *
 * - S1. A slice is one order and one dispatch; between two of them the node waits durably, so a halt stops it there.
 * - S2. What a slice did not fill is carried into the next ones, and so is a slice that could not be sent: a dead feed buys nothing.
 * - S3. Slices that are late, as after a halt, do not come at once, which would be one large order: two of them are never closer than half of what
 *   lies between two. It then ends later.
 * - S4. A slice that is out is followed to its end before the next one is decided.
 */
import { HoldfastError, isErrorCode, messageOf } from '../../errors';
import { isObject } from '../../json';
import { decimal, formatDecimal, type Decimal } from '../../money';
import { quantizeQuantity } from '../../venues/size-checks';
import type { VenueOrder } from '../../venues/venue';
import { decideTaking, refOf, type OrderPlace, type PriceBounds } from './decide';
import type { LegState, OrderLegs } from './order-legs';

export interface TwapTerms extends PriceBounds {
  readonly total: string;
  readonly slices: number;
  readonly over_ms: number;
}

/** What is kept from slice to slice. */
export interface TwapProgress {
  /** Slices that are done with, sent or not. */
  readonly done: number;
  /** Orders that were sent. */
  readonly orders: number;
  readonly filled: string;
  readonly notional: string;
  readonly fees: string;
  readonly started_at: number;
  /** Why the last slice that was not sent was not. */
  readonly problem?: { readonly code: string; readonly message: string };
}

const LOOK_AGAIN_MS = 1_000;

export function progressOf(own: unknown): TwapProgress {
  if (isObject(own)) return own as unknown as TwapProgress;
  return { done: 0, orders: 0, filled: '0', notional: '0', fees: '0', started_at: Date.now() };
}

export function sliceLegs(own: unknown): readonly string[] {
  return [sliceLeg(progressOf(own))];
}

function sliceLeg({ done }: TwapProgress): string {
  return `slice_${done + 1}`;
}

/** Returns when it is all done. Throws `OrderPending` until then, and why nothing was sent when nothing was. */
export async function runTwap(
  legs: OrderLegs,
  place: Omit<OrderPlace, 'leg'>,
  terms: TwapTerms,
): Promise<TwapProgress> {
  const before = progressOf(legs.own);
  legs.own = before;
  const slice = { ...place, leg: sliceLeg(before) };
  const after = await nextSlice(legs, slice, { before, terms });
  legs.own = after;
  if (hasEnded(after, terms)) return ended(after);
  const between = terms.over_ms / terms.slices;
  const due = after.started_at + Math.round(between * after.done);
  const retry_in_ms = Math.max(1, Math.ceil(between / 2), due - Date.now());
  throw legs.pending(`${after.filled} of ${terms.total} filled after ${after.done} slices`, { retry_in_ms });
}

function hasEnded({ done, filled }: TwapProgress, { slices, total }: TwapTerms): boolean {
  return done >= slices || decimal(filled).gte(decimal(total));
}

function ended(progress: TwapProgress): TwapProgress {
  const { orders, problem } = progress;
  if (orders > 0 || problem === undefined) return progress;
  throw new HoldfastError(isErrorCode(problem.code) ? problem.code : 'Unexpected', problem.message);
}

interface Step {
  readonly before: TwapProgress;
  readonly terms: TwapTerms;
}

async function nextSlice(legs: OrderLegs, place: OrderPlace, step: Step): Promise<TwapProgress> {
  const { before, terms } = step;
  let state: LegState;
  try {
    state = await legs.placeDecided(refOf(place), async () => {
      const market = await place.trading.market(place.symbol);
      return decideTaking(place, { quantity: quantizeQuantity(formatDecimal(shareOf(step)), market) }, terms);
    });
  } catch (error) {
    return notSent(error, legs, before);
  }
  if (state.kind === 'ended') {
    legs.release(place);
    return withOrder(before, state.order);
  }
  const why = state.kind === 'unknown' ? state.why : `${place.leg} has not ended`;
  throw legs.pending(why, { retry_in_ms: LOOK_AGAIN_MS });
}

/** What is left, shared among the slices that are left. */
function shareOf({ before, terms }: Step): Decimal {
  const left = decimal(terms.total).minus(decimal(before.filled));
  return left.div(String(Math.max(1, terms.slices - before.done)));
}

function withOrder({ problem: _, ...before }: TwapProgress, order: VenueOrder): TwapProgress {
  return {
    ...before,
    done: before.done + 1,
    orders: before.orders + 1,
    filled: sum(before.filled, order.filled_quantity),
    notional: sum(before.notional, order.filled_notional),
    fees: sum(before.fees, order.fees),
  };
}

function notSent(error: unknown, legs: OrderLegs, before: TwapProgress): TwapProgress {
  if (!(error instanceof HoldfastError)) throw error;
  const { code } = error;
  if (code === 'EmergencyHalted') {
    if (before.done === 0 && legs.isEmpty) throw error;
    throw legs.pending(`halted: ${error.message}`, { retry_in_ms: LOOK_AGAIN_MS });
  }
  // What will be no better at the next slice is said at once.
  if (before.done === 0 && !error.entry.retryable && !PASSING.has(code)) throw error;
  return { ...before, done: before.done + 1, problem: { code, message: messageOf(error) } };
}

const PASSING: ReadonlySet<string> = new Set(['StalePrice', 'DataUnavailable', 'OrderNotPlaced', 'PermitExpired']);

function sum(a: string, b: string): string {
  return formatDecimal(decimal(a).plus(decimal(b)));
}
