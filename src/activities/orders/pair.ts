/**
 * Two orders that belong together, at two venues, each sent at most once.
 *
 * - P1. Neither is sent before both may be, but where one is out already.
 * - P2. What became of one is kept while the other is followed: a leg that was refused is not sent again.
 * - P3. Whatever is out, the node does not fail for the other: it ends half done, and says what is exposed.
 */
import { HoldfastError, isErrorCode, messageOf } from '../../errors';
import { isObject } from '../../json';
import { decimal, divideDown, formatDecimal, type Decimal } from '../../money';
import { quantizeQuantity } from '../../venues/size-checks';
import type { VenueOrder } from '../../venues/venue';
import { OrderPending } from '../order-pending';
import { decideTaking, marketNow, refOf, takingWish, type OrderPlace, type PriceBounds } from './decide';
import type { Asked, LegState, OrderLegs, OrderWish } from './order-legs';

export interface PairTerms extends PriceBounds {
  readonly quote_amount: string;
  readonly on_half_done: 'hedge' | 'hold' | 'unwind';
}

export const PAIR_LEGS: readonly string[] = ['sell', 'buy', 'remedy'];

/** Why a leg is not out. */
interface Failure {
  readonly code: string;
  readonly message: string;
}

/** How one leg ended. */
export type LegEnd =
  { readonly kind: 'ended'; readonly order: VenueOrder } | { readonly kind: 'failed'; readonly failure: Failure };

export interface PairEnd {
  readonly sell: LegEnd;
  readonly buy: LegEnd;
  readonly remedy?: LegEnd;
  /** Bought less sold, in base currency. */
  readonly exposed: Decimal;
}

/** `halted`: it was not sent, and can be after the halt. */
type Found =
  | LegEnd
  | { readonly kind: 'waits'; readonly why: string }
  | { readonly kind: 'halted'; readonly error: HoldfastError };
type Sides<T> = Readonly<Record<'sell' | 'buy', T>>;

const SIDES = ['sell', 'buy'] as const;
const LOOK_AGAIN_MS = 1_000;

export class Pair {
  readonly #legs: OrderLegs;
  readonly #places: Sides<OrderPlace>;
  readonly #terms: PairTerms;
  readonly #failures: Map<string, Failure>;

  constructor(legs: OrderLegs, places: Sides<OrderPlace>, terms: PairTerms) {
    this.#legs = legs;
    this.#places = places;
    this.#terms = terms;
    this.#failures = failuresIn(legs.own);
  }

  /** Throws `OrderPending`, and why neither was sent when neither was. */
  async run(): Promise<PairEnd> {
    const { sell, buy } = this.#ended(await this.#both());
    const exposed = filledOf(buy).minus(filledOf(sell));
    if (exposed.eq('0') || this.#terms.on_half_done === 'hold') return { sell, buy, exposed };
    const place = this.#remedyOf(exposed);
    const { remedy } = this.#ended({ remedy: await this.#remedy(place, formatDecimal(exposed.abs())) });
    const change = filledOf(remedy);
    return { sell, buy, remedy, exposed: place.side === 'buy' ? exposed.plus(change) : exposed.minus(change) };
  }

  async #both(): Promise<Sides<Found>> {
    const { sell, buy } = this.#places;
    const [knownSell, knownBuy] = await Promise.all([this.#known(sell), this.#known(buy)]);
    const known = { sell: knownSell, buy: knownBuy };
    const missing = SIDES.filter((side) => known[side] === undefined);
    const other = known.sell ?? known.buy;
    // Alone it is of no use, and as long as nobody knows of the other nobody knows how much of it.
    const sent = isOut(other) ? await this.#send(missing, other?.order.quantity) : {};
    const found = { ...sent, ...(knownSell && { sell: knownSell }), ...(knownBuy && { buy: knownBuy }) };
    const rest = other ?? waits('nothing is known of it');
    return { sell: found.sell ?? rest, buy: found.buy ?? rest };
  }

  async #known(place: OrderPlace): Promise<Found | undefined> {
    const failure = this.#failures.get(place.leg);
    if (failure !== undefined) return { kind: 'failed', failure };
    return this.#settled(place, () => this.#legs.recover(refOf(place)));
  }

  /** `quantity`: of the leg that is out already. Throws why not when nothing is out, and then nothing is sent. */
  async #send(sides: readonly ('sell' | 'buy')[], quantity: string | undefined): Promise<Partial<Sides<Found>>> {
    const decide = this.#decider(quantity);
    const asked = await Promise.allSettled(
      sides.map((side) => this.#legs.ask(refOf(this.#places[side]), () => decide(side))),
    );
    const refused = asked.find((each) => each.status === 'rejected');
    if (refused !== undefined && this.#legs.isEmpty) {
      for (const each of asked) giveBack(each);
      throw refused.reason;
    }
    const found = await Promise.all(
      asked.map(async (each, index) => {
        const place = this.#places[sides[index] ?? 'sell'];
        const end = await this.#settled(place, () => this.#sent(each));
        return [place.side, end ?? waits('nothing is known of it')] as const;
      }),
    );
    return Object.fromEntries(found);
  }

  async #sent(asked: PromiseSettledResult<Asked>): Promise<LegState> {
    if (asked.status === 'rejected') throw asked.reason;
    return this.#legs.send(asked.value);
  }

  /** The same quantity of both, on the grid of both, unless it is known. */
  #decider(known: string | undefined): (side: 'sell' | 'buy') => Promise<OrderWish> {
    const { max_slippage_percent: percent, max_price_age, quote_amount } = this.#terms;
    const markets = {
      sell: once(() => marketNow(this.#places.sell, max_price_age)),
      buy: once(() => marketNow(this.#places.buy, max_price_age)),
    };
    return async (side) => {
      const now = await markets[side]();
      const quantity = known ?? commonQuantity(quote_amount, await Promise.all([markets.sell(), markets.buy()]));
      return takingWish(this.#places[side], { quantity }, { ...now, percent });
    };
  }

  /** To hedge is to try the leg again that has filled less; to unwind is to take back what the other has filled more. */
  #remedyOf(exposed: Decimal): OrderPlace {
    const side = exposed.gt('0') ? 'sell' : 'buy';
    const more = exposed.gt('0') ? 'buy' : 'sell';
    const at = this.#terms.on_half_done === 'hedge' ? this.#places[side] : this.#places[more];
    return { ...at, side, leg: 'remedy' };
  }

  async #remedy(place: OrderPlace, quantity: string): Promise<Found> {
    const failure = this.#failures.get(place.leg);
    if (failure !== undefined) return { kind: 'failed', failure };
    const decide = async (): Promise<OrderWish> => {
      const market = await place.trading.market(place.symbol);
      return decideTaking(place, { quantity: quantizeQuantity(quantity, market) }, this.#terms);
    };
    const found = await this.#settled(place, () => this.#legs.placeDecided(refOf(place), decide));
    return found ?? waits('nothing is known of it');
  }

  async #settled(place: OrderPlace, state: () => Promise<LegState | undefined>): Promise<Found | undefined> {
    try {
      const found = await state();
      if (found?.kind === 'unknown') return waits(found.why);
      if (found?.kind === 'open') return waits(`the ${place.side} at ${place.venue.profile} has not ended`);
      return found && { kind: 'ended', order: found.order };
    } catch (error) {
      return this.#foundOf(place.leg, error);
    }
  }

  #foundOf(leg: string, error: unknown): Found {
    if (error instanceof OrderPending) return waits(error.message);
    if (error instanceof HoldfastError && error.code === 'EmergencyHalted') return { kind: 'halted', error };
    const code = error instanceof HoldfastError ? error.code : 'ConnectionError';
    const failure = { code, message: messageOf(error) };
    this.#failures.set(leg, failure);
    return { kind: 'failed', failure };
  }

  /** All of them; else the node waits, or fails where nothing is out. */
  #ended<K extends string>(found: Readonly<Record<K, Found>>): Record<K, LegEnd> {
    const all = Object.values<Found>(found);
    const waiting = all.find((each) => each.kind === 'waits');
    const halted = all.find((each) => each.kind === 'halted');
    if (waiting === undefined && this.#legs.isEmpty) throw errorOf(halted ?? all[0]);
    if (waiting !== undefined) throw this.#pending(waiting.why);
    if (halted !== undefined) throw this.#pending(`halted: ${halted.error.message}`);
    return found as Record<K, LegEnd>;
  }

  #pending(why: string): OrderPending {
    const own = { failures: Object.fromEntries(this.#failures) };
    return this.#legs.pending(why, { retry_in_ms: LOOK_AGAIN_MS, own });
  }
}

/** Also where neither is known: then both can be decided. */
function isOut(other: Found | undefined): other is Extract<Found, { kind: 'ended' }> | undefined {
  return other === undefined || other.kind === 'ended';
}

function waits(why: string): Found {
  return { kind: 'waits', why };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function giveBack(asked: PromiseSettledResult<Asked>): void {
  if (asked.status === 'fulfilled' && asked.value.kind === 'granted') asked.value.permit.settle('unused');
}

function commonQuantity(amount: string, markets: readonly Awaited<ReturnType<typeof marketNow>>[]): string {
  const dearest = markets.map(({ fresh }) => decimal(fresh.ticker.last)).reduce((a, b) => (a.gt(b) ? a : b));
  return markets.reduce(
    (quantity, { market }) => quantizeQuantity(quantity, market),
    formatDecimal(divideDown(decimal(amount), dearest)),
  );
}

function filledOf(end: LegEnd): Decimal {
  return decimal(end.kind === 'ended' ? end.order.filled_quantity : '0');
}

function errorOf(found: Found | undefined): Error {
  if (found?.kind === 'halted') return found.error;
  const { code, message } = found?.kind === 'failed' ? found.failure : { code: '', message: 'nothing is out' };
  return new HoldfastError(isErrorCode(code) ? code : 'Unexpected', message);
}

function failuresIn(own: unknown): Map<string, Failure> {
  const failures = isObject(own) && isObject(own['failures']) ? own['failures'] : {};
  return new Map(Object.entries(failures) as [string, Failure][]);
}
