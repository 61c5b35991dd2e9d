/** Which orders at a venue are to go, and what became of each. Pure. */
import { present } from '../json';
import type { VenueOrder } from '../venues/venue';
import type { Scope } from './model';
import type { AccountRef } from './open-orders';
import { GLOBAL, scopesOf } from './scopes';
import type { PermitStatus } from './status';

/** What somebody wants gone. */
export interface CancelOrder {
  /** `global` and `venue:<profile>` mean all that rests there, whoever placed it; others what the desk permitted for them. */
  readonly scope: Scope;
  /** Of the halt or the command: what was permitted since is left alone. Absent: nothing is. */
  readonly epoch?: number;
  readonly symbol?: string;
  /** Protective stops, too. */
  readonly cancel_stops?: boolean;
  readonly reason: string;
  readonly actor: string;
}

/**
 * `cancelled`: it fills no more; `filled`: it was filled whole before; `not_found`: the venue does not have it, and can accept it no more;
 * `spared`: a protective stop; `pending`: the venue has not said yet.
 */
export type CancelStatus = 'cancelled' | 'filled' | 'not_found' | 'spared' | 'pending';

export interface CancelResult {
  readonly client_order_id: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  /** Absent where the desk knows no permit of it: somebody else placed it, or it was forgotten. */
  readonly permit_id?: string;
  readonly status: CancelStatus;
  readonly filled_quantity?: string;
  /** Of one that is pending: what stood in the way last. */
  readonly why?: string;
}

/** An order that is to go, as far as it is known. */
export interface CancelTarget {
  readonly client_order_id: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly permit?: Pick<PermitStatus, 'permit_id' | 'bot_id' | 'strategy_id'>;
  /** Only its permit is known, and it reduces: if it is a stop it stays, so the venue is asked first. */
  readonly may_protect: boolean;
  /** It was cancelled, and may have been filled in the moment before: looked at again once so much time was waited. */
  readonly check_at_ms?: number;
}

export interface Picked {
  readonly targets: readonly CancelTarget[];
  readonly spared: readonly CancelResult[];
}

/** What became of one account's orders. */
export interface AccountCancels extends AccountRef {
  /** Whether the venue's open orders were read; what was picked then is all that goes. */
  readonly is_listed: boolean;
  readonly orders: readonly CancelResult[];
  /** Orders of which the venue has not said all yet. */
  readonly pending: number;
  /** Why the last round of it failed. */
  readonly why?: string;
}

export interface CancelReport extends CancelOrder {
  readonly accounts: readonly AccountCancels[];
  /** Accounts with orders of the scope that no worker has the credentials of: nobody cancels there. */
  readonly unreachable: readonly AccountRef[];
  readonly is_done: boolean;
}

/** `listed`: all that rests in the account by the venue's word; `permits`: all that are open in it by the desk's. */
export function pickOrders(
  order: CancelOrder,
  listed: readonly VenueOrder[],
  permits: readonly PermitStatus[],
): Picked {
  const byId = new Map(permits.map((permit) => [permit.client_order_id, permit]));
  const resting = listed.filter(({ client_order_id, symbol }) => isMeant(order, byId.get(client_order_id), symbol));
  const isSpared = (each: VenueOrder) =>
    order.cancel_stops !== true && protects(each, byId.get(each.client_order_id)?.reduces);
  const shown = new Set(listed.map(({ client_order_id }) => client_order_id));
  const unseen = permits.filter((permit) => mayComeYet(permit, shown) && isMeant(order, permit, permit.symbol));
  return {
    targets: [
      ...resting.filter((each) => !isSpared(each)).map((each) => targetOf(each, byId.get(each.client_order_id))),
      ...unseen.map((permit) => unseenTarget(permit, order.cancel_stops !== true && permit.reduces)),
    ],
    spared: resting.filter(isSpared).map((each) => ({
      ...resultOf(targetOf(each, byId.get(each.client_order_id)), 'spared'),
      filled_quantity: each.filled_quantity,
    })),
  };
}

/** A stop that takes from what is held. Spot has nothing to sell but that; what buys protects only what the desk says it does. */
export function protects({ type, side }: Pick<VenueOrder, 'type' | 'side'>, reduces: boolean | undefined): boolean {
  return type === 'stop' && (reduces ?? side === 'sell');
}

export function resultOf(target: CancelTarget, status: CancelStatus, more: Partial<CancelResult> = {}): CancelResult {
  const { client_order_id, symbol, side, permit } = target;
  return { client_order_id, symbol, side, status, ...present({ permit_id: permit?.permit_id }), ...more };
}

/** Whether all of an account may be meant, and not only what the desk permitted. */
export function isWhole(scope: Scope): boolean {
  return scope === GLOBAL || scope.startsWith('venue:');
}

/** Whether a scope can have anything to do with an account. */
export function concernsAccount(scope: Scope, { venue }: AccountRef): boolean {
  return !scope.startsWith('venue:') || scope === `venue:${venue}`;
}

function isMeant(
  { scope, symbol: only, epoch = Infinity }: CancelOrder,
  permit: PermitStatus | undefined,
  symbol: string,
) {
  if (only !== undefined && only !== symbol) return false;
  if (permit === undefined) return isWhole(scope);
  return permit.epoch < epoch && scopesOf(permit).includes(scope);
}

/** The venue has not shown it, and has not been heard to have ended it. */
function mayComeYet({ client_order_id, status }: PermitStatus, shown: ReadonlySet<string>): boolean {
  return client_order_id !== undefined && status !== 'closed' && !shown.has(client_order_id);
}

function targetOf({ client_order_id, symbol, side }: VenueOrder, permit: PermitStatus | undefined): CancelTarget {
  return { client_order_id, symbol, side, may_protect: false, ...present({ permit: permitOf(permit) }) };
}

function unseenTarget(permit: PermitStatus, may_protect: boolean): CancelTarget {
  const { client_order_id = permit.permit_id, symbol, side } = permit;
  return { client_order_id, symbol, side, may_protect, ...present({ permit: permitOf(permit) }) };
}

function permitOf(permit: PermitStatus | undefined): CancelTarget['permit'] {
  if (permit === undefined) return undefined;
  const { permit_id, bot_id, strategy_id } = permit;
  return { permit_id, ...present({ bot_id, strategy_id }) };
}
