/**
 * Which positions of a scope are to be closed, by which orders, and what became of each. Pure.
 *
 * - F1. What is planned is what fills have proven. Each order is for one bot and one strategy, as far as somebody holds a part, so that the
 *   parts are closed with the account's position.
 * - F2. A plan is a wish: whether an order reduces is the desk's to say, once more, when its permit is asked for.
 */
import { present } from '../json';
import { decimal, formatDecimal, type Decimal } from '../money';
import { refuse } from './fields';
import type { PositionFigures } from './figures';
import type { FlattenCommand, FlattenOrder, Scope } from './model';
import type { AccountRef } from './open-orders';
import { opposes, type Side } from './positions';
import { GLOBAL, mostSevere, partScopesOf, permissionsOf, scopesOf } from './scopes';
import { scopeState } from './standing';
import { exact, nextEpoch, type Draft } from './state';
import type { DeskStatus } from './status';

/** One order that is to go out. Without bot or strategy: what none of them holds. */
export interface ClosingTarget extends AccountRef {
  readonly symbol: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly side: Side;
  /** At most so much. */
  readonly quantity: string;
  /** The latest the desk knows. */
  readonly price: string;
}

export const USUAL_SLIPPAGE_PERCENT = '3';

/** Has it started, under an epoch of its own, so that what was permitted before can be told from its orders. Throws `EmergencyHalted`. */
export function flatten(draft: Draft, command: FlattenCommand): void {
  const { scope, reason, actor, command_id, max_slippage_percent = leastCollar(draft) } = command;
  const closed = [GLOBAL, scope].find((each) => !permissionsOf(scopeState(draft, each)).can_operate);
  if (closed !== undefined) refuse('EmergencyHalted', `${closed} is in shutdown, where no order goes out at all`);
  const epoch = nextEpoch(draft);
  const order = { scope, epoch, reason, actor, command_id, ...present({ max_slippage_percent }) };
  draft.effects.push({ kind: 'flatten', order });
}

/** Where one is below what is usual: orders that reduce are held to collars, too, and each would be denied. */
function leastCollar({ desk }: Draft): string | undefined {
  return Object.values(desk.limits)
    .flatMap(({ values }) => values.price_collar_percent ?? [])
    .filter((percent) => decimal(percent).lt(USUAL_SLIPPAGE_PERCENT))
    .sort((a, b) => decimal(a).cmp(decimal(b)))[0];
}

/** What is held of a scope, in orders that close it. */
export function closingTargets(scope: Scope, positions: readonly PositionFigures[]): readonly ClosingTarget[] {
  return positions.flatMap((position) => targetsOf(scope, position));
}

/** What keeps an order from going out, or whole, as things stand; undefined when nothing is known to be in its way. */
export function obstacleTo(
  target: ClosingTarget,
  { scopes, open_permits }: Pick<DeskStatus, 'scopes' | 'open_permits'>,
): string | undefined {
  const concerned = scopesOf(target);
  const states = scopes.filter(({ scope }) => concerned.includes(scope)).map(({ state }) => state);
  if (!permissionsOf(mostSevere(states)).can_operate) return 'no order goes out in a shutdown';
  const open = open_permits.listed.filter(({ instrument }) => instrument === instrumentKey(target));
  if (open.some(({ unknown }) => unknown === true))
    return 'an order of it has an unknown end, which must be known first';
  if (open.some(({ reduces }) => reduces)) return 'orders that are out reduce it already; they are cancelled first';
  return undefined;
}

/** As permits name it. */
function instrumentKey({ venue, account, symbol }: AccountRef & { readonly symbol: string }): string {
  return [venue, account, symbol].join(' ');
}

interface Holding {
  readonly scope: Scope;
  readonly position: PositionFigures;
  readonly side: Side;
  readonly total: Decimal;
}

function targetsOf(scope: Scope, position: PositionFigures): readonly ClosingTarget[] {
  const held = heldOf(scope, position);
  if (held.eq('0')) return [];
  const side = held.gt('0') ? 'sell' : 'buy';
  const holding = { scope, position, side, total: held.abs() } as const;
  const strategies = spansOf('strategy', holding);
  const { venue, account, symbol, price } = position;
  return spansOf('bot', holding).flatMap((bot) =>
    strategies.flatMap((strategy) => {
      const quantity = least(bot.to, strategy.to).minus(most(bot.from, strategy.from));
      if (quantity.lte('0')) return [];
      const holder = present({ bot_id: bot.id, strategy_id: strategy.id });
      return [{ venue, account, symbol, ...holder, side, quantity: exact(quantity), price }];
    }),
  );
}

function heldOf(scope: Scope, position: PositionFigures): Decimal {
  if (scopesOf(position).includes(scope)) return decimal(position.quantity);
  return decimal(position.parts.find((part) => part.scope === scope)?.quantity ?? '0');
}

/** A stretch of the quantity, and whose it is. */
interface Span {
  readonly id: string | undefined;
  readonly from: Decimal;
  readonly to: Decimal;
}

/**
 * The quantity laid out by holders of one kind, the largest first, and at its end what none of them holds. Bots and strategies are counted
 * apart, and which strategy a bot bought for is known to neither: laid over one another the two give orders that close both.
 */
function spansOf(kind: 'bot' | 'strategy', { scope, position, side, total }: Holding): readonly Span[] {
  const prefix = `${kind}:`;
  const isMeant = (part: Scope) => part.startsWith(prefix) && (!scope.startsWith(prefix) || part === scope);
  const holders = position.parts
    .filter((part) => isMeant(part.scope) && opposes(decimal(part.quantity), { side }))
    .map((part) => ({ id: part.scope.slice(prefix.length), amount: decimal(part.quantity).abs() }))
    .sort((a, b) => b.amount.cmp(a.amount));
  const spans: Span[] = [];
  let from = decimal('0');
  for (const { id, amount } of holders) {
    const to = least(from.plus(amount), total);
    spans.push({ id, from, to });
    from = to;
  }
  return [...spans, { id: undefined, from, to: total }];
}

/**
 * `closed`: nothing of it is held any more; `partly_closed`: some is; `nothing`: it was closed otherwise; `refused`: by desk, venue or
 * market, `code` says why; `not_filled`: nobody took it within the collar; `unreachable`: no worker can trade there.
 */
export type FlattenStatus =
  'pending' | 'closed' | 'partly_closed' | 'nothing' | 'refused' | 'not_filled' | 'unreachable';

/** With nothing left to close. */
export const FLAT: ReadonlySet<FlattenStatus> = new Set(['closed', 'nothing']);

/** `quantity`: what was held in all. */
export interface FlattenResult extends Omit<ClosingTarget, 'price'> {
  readonly status: FlattenStatus;
  readonly filled_quantity: string;
  readonly filled_notional: string;
  /** Absent where nothing was filled. */
  readonly average_price?: string;
  /** What is still held. */
  readonly rest: string;
  /** Of the last order that did not go out, and why; of one that is out, what is waited for. */
  readonly code?: string;
  readonly why?: string;
  /** How often in a row the code was the same. */
  readonly refusals?: number;
  /** Client order ids. */
  readonly orders: readonly string[];
}

export interface FlattenReport extends FlattenOrder {
  readonly results: readonly FlattenResult[];
  readonly is_done: boolean;
}

/** What is held now, by whether anybody can trade there. */
export interface ClosingPlan {
  readonly targets: readonly ClosingTarget[];
  readonly unreachable: readonly ClosingTarget[];
}

export interface ClosedOrder {
  readonly client_order_id: string;
  readonly quantity: string;
  readonly filled_quantity: string;
  readonly filled_notional: string;
}

/**
 * Codes that the same order, asked for again in a moment, would end with again. Each must be said twice: a venue also rejects what came late
 * to it, and would take the next.
 */
const FINAL: ReadonlySet<string | undefined> = new Set([
  'DataUnavailable',
  'InvalidInput',
  'LiveNotAllowed',
  'NoTradingAccount',
  'OrderRejected',
  'UnknownScope',
  'VenueRefused',
  'WrongCurrency',
]);
const SAID_OFTEN_ENOUGH = 2;

/** What became of each, over all plans and orders. */
export class FlattenLedger {
  readonly #results: Map<string, FlattenResult>;

  constructor(results: readonly FlattenResult[] = []) {
    this.#results = new Map(results.map((result) => [targetKey(result), result]));
  }

  get results(): readonly FlattenResult[] {
    return [...this.#results.values()];
  }

  /** Takes what is held now. Returns what is worth another order. */
  plan({ targets, unreachable }: ClosingPlan): readonly ClosingTarget[] {
    for (const [key, result] of this.#results) this.#results.set(key, { ...result, rest: '0' });
    for (const target of targets) this.#hold(target);
    for (const target of unreachable) {
      this.#hold(target);
      this.refused(target, { code: 'NoTradingAccount', why: 'no worker can trade there' });
    }
    return targets.filter((target) => !isFinal(this.#of(target)));
  }

  ended(target: ClosingTarget, order: ClosedOrder): void {
    const { code: _code, why: _why, refusals: _refusals, ...known } = this.#of(target);
    const isWhole = decimal(order.filled_quantity).gte(decimal(target.quantity));
    const why = isWhole ? undefined : `${order.filled_quantity} of ${order.quantity} found a taker within the collar`;
    const filled_quantity = plus(known.filled_quantity, order.filled_quantity);
    const filled_notional = plus(known.filled_notional, order.filled_notional);
    const average_price = averageOf(filled_quantity, filled_notional);
    this.#set({
      ...{ ...known, filled_quantity, filled_notional, orders: [...known.orders, order.client_order_id] },
      ...present({ average_price, why }),
    });
  }

  refused(target: ClosingTarget, { code, why }: { readonly code: string; readonly why: string }): void {
    const known = this.#of(target);
    const { code: before, refusals = 0 } = known;
    this.#set({ ...known, code, why, refusals: before === code ? refusals + 1 : 1 });
  }

  /** It is out, or may be. */
  waits(target: ClosingTarget, why: string): void {
    const { code: _code, refusals: _refusals, ...known } = this.#of(target);
    this.#set({ ...known, why });
  }

  /** Nothing more is tried. */
  close(): void {
    for (const [key, result] of this.#results) this.#results.set(key, finished(result));
  }

  #hold(target: ClosingTarget): void {
    const known = this.#of(target);
    this.#set({ ...known, rest: target.quantity, quantity: plus(known.filled_quantity, target.quantity) });
  }

  #of({ price: _price, ...target }: ClosingTarget): FlattenResult {
    const none = { filled_quantity: '0', filled_notional: '0', rest: target.quantity, orders: [] };
    return this.#results.get(targetKey(target)) ?? { ...target, status: 'pending', ...none };
  }

  #set(result: FlattenResult): void {
    this.#results.set(targetKey(result), result);
  }
}

/** Names it in ids of orders. Ids begin with a letter or a digit and hold no blanks. */
export function targetKey({
  bot_id,
  strategy_id,
  ...place
}: Omit<ClosingTarget, 'side' | 'quantity' | 'price'>): string {
  return [instrumentKey(place), ...partScopesOf({ bot_id, strategy_id })].join(' ');
}

/** What the order of a target in a pass of a flatten is known by; the client order id is made of it. */
export function closingKey(flattenId: string, target: ClosingTarget, pass: number): string {
  return [flattenId, targetKey(target), pass].join('/');
}

function isFinal({ code, refusals = 0 }: FlattenResult): boolean {
  return FINAL.has(code) && refusals >= SAID_OFTEN_ENOUGH;
}

/** What stood in the way of what is flat stands there no more. */
function finished({ code, why, refusals, ...result }: FlattenResult): FlattenResult {
  const status = statusOf({ ...result, ...present({ code }) });
  return FLAT.has(status) ? { ...result, status } : { ...result, status, ...present({ code, why, refusals }) };
}

function statusOf({ rest, filled_quantity, code }: Omit<FlattenResult, 'status'>): FlattenStatus {
  const isFlat = decimal(rest).eq('0');
  if (decimal(filled_quantity).gt('0')) return isFlat ? 'closed' : 'partly_closed';
  if (isFlat) return 'nothing';
  if (code === 'NoTradingAccount') return 'unreachable';
  return code === undefined ? 'not_filled' : 'refused';
}

function averageOf(quantity: string, notional: string): string | undefined {
  const filled = decimal(quantity);
  return filled.eq('0') ? undefined : formatDecimal(decimal(notional).div(filled), 12);
}

function plus(a: string, b: string): string {
  return exact(decimal(a).plus(decimal(b)));
}

function least(a: Decimal, b: Decimal): Decimal {
  return a.lt(b) ? a : b;
}

function most(a: Decimal, b: Decimal): Decimal {
  return a.gt(b) ? a : b;
}
