/** Open permits of an account, for whoever asks the venue what became of their orders. */
import { instrumentOf } from './positions';
import type { DeskState } from './state';
import type { PermitStatus } from './status';

/** One account at one venue. */
export interface AccountRef {
  readonly venue: string;
  readonly account: string;
}

export interface OpenOrdersQuestion extends AccountRef {
  /** Where in the list of the resting ones to begin; it begins again at its end. */
  readonly offset: number;
  /** All of them at once: there are never more than `MOST_OPEN_PERMITS`. */
  readonly all?: boolean;
}

export interface OpenOrders {
  /** The desk's. */
  readonly currency: string;
  /** What nobody has settled as known to the venue or not; the oldest. */
  readonly unsettled: readonly PermitStatus[];
  /** What the venue has, or has had and owes fills of. */
  readonly resting: readonly PermitStatus[];
  /** Of the account, where all was asked for. */
  readonly positions?: readonly PositionQuantity[];
}

/** Signed: what is held less what was sold beyond it, decimal text. */
export interface PositionQuantity {
  readonly symbol: string;
  readonly quantity: string;
}

const MOST_UNSETTLED = 100;
const MOST_RESTING = 20;

/** Pure. */
export function openOrdersOf(
  { permits, currency, positions }: DeskState,
  { venue, account, offset, all: wantsAll }: OpenOrdersQuestion,
): OpenOrders {
  const all = Object.entries(permits)
    .filter(([, permit]) => permit.instrument === instrumentOf(account, { venue, symbol: permit.symbol }))
    .map(([permit_id, permit]) => ({ permit_id, ...permit }))
    .sort((a, b) => a.at - b.at);
  const isUnsettled = ({ status }: PermitStatus) => status === 'granted' || status === 'fenced';
  const resting = all.filter((permit) => !isUnsettled(permit));
  if (wantsAll === true) {
    return {
      currency,
      unsettled: all.filter(isUnsettled),
      resting,
      positions: quantitiesOf(positions, account, venue),
    };
  }
  const from = resting.length === 0 ? 0 : offset % resting.length;
  return {
    currency,
    unsettled: all.filter(isUnsettled).slice(0, MOST_UNSETTLED),
    resting: [...resting.slice(from), ...resting.slice(0, from)].slice(0, MOST_RESTING),
  };
}

function quantitiesOf(positions: DeskState['positions'], account: string, venue: string): readonly PositionQuantity[] {
  return Object.entries(positions)
    .filter(([instrument, { symbol }]) => instrument === instrumentOf(account, { venue, symbol }))
    .map(([, { symbol, quantity }]) => ({ symbol, quantity }));
}
