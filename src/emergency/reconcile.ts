/** What a venue shows of an account and no desk knows, or the other way round. Pure. */
import { decimal, formatDecimal } from '../money';
import type { Balance, VenueOrder } from '../venues/venue';
import type { PositionQuantity } from './open-orders';

/** One thing that does not agree; two are the same when all of it is. */
export interface Difference {
  readonly kind: 'foreign_order' | 'missing_balance';
  /** Of the order, or the asset. */
  readonly id: string;
  readonly text: string;
}

/** Fees a venue takes in what was bought leave less than was bought: so much of a position may be missing. */
const FEES_PART = '0.02';
const MOST_NAMED = 5;

/** `permitted`: client order ids of all desks. */
export function foreignOrders(
  listed: readonly VenueOrder[],
  permitted: ReadonlySet<string | undefined>,
): readonly Difference[] {
  return listed
    .filter(({ client_order_id }) => !permitted.has(client_order_id))
    .map(({ client_order_id, symbol, side, type, quantity }) => ({
      ...{ kind: 'foreign_order', id: client_order_id },
      text: `${type} ${side} of ${quantity} ${symbol} (${client_order_id}), which no desk permitted`,
    }));
}

/**
 * An account may hold more than the desks count, for whatever it held before; what they count and it does not hold is sold, or was never
 * bought.
 */
export function missingBalances(
  balances: readonly Balance[],
  positions: readonly PositionQuantity[],
): readonly Difference[] {
  return [...counted(positions)].flatMap(([asset, quantity]) => {
    const { free = '0', locked = '0' } = balances.find((balance) => balance.asset === asset) ?? {};
    const has = decimal(free).plus(decimal(locked));
    if (has.gte(quantity.minus(quantity.times(FEES_PART)))) return [];
    const text = `${formatDecimal(quantity)} ${asset} counted as held, and the account has ${formatDecimal(has)}`;
    return [{ kind: 'missing_balance', id: asset, text }];
  });
}

/** Those that were there at the look before, too: an order may come or end between two questions. */
export function confirmed(now: readonly Difference[], before: readonly Difference[]): readonly Difference[] {
  const known = new Set(before.map(({ kind, id }) => `${kind} ${id}`));
  return now.filter(({ kind, id }) => known.has(`${kind} ${id}`)).sort((a, b) => (a.text < b.text ? -1 : 1));
}

export function differenceWords(differences: readonly Difference[]): string {
  const named = differences.slice(0, MOST_NAMED).map(({ text }) => text);
  const more = differences.length - named.length;
  return [...named, ...(more === 0 ? [] : [`and ${more} more`])].join('; ');
}

/** By base currency. */
function counted(positions: readonly PositionQuantity[]) {
  const sums = new Map<string, ReturnType<typeof decimal>>();
  for (const { symbol, quantity } of positions) {
    const [base = symbol] = symbol.split('/');
    sums.set(base, (sums.get(base) ?? decimal('0')).plus(decimal(quantity)));
  }
  return sums;
}
