/**
 * Whether one order may go out. A reducing order is judged by state, price and rate alone: what bounds exposure must not keep a
 * position open. No grant takes a scope past a limit; exactly at it is within.
 */
import { decimal, formatDecimal, type Decimal } from '../money';
import { breachedLimits, committed } from './breaches';
import { refuse } from './fields';
import { find } from './forgetting';
import type { EmergencyState, LimitName, PermitRequest, Scope } from './model';
import { instrumentOf, reducible } from './positions';
import { mostSevere, partScopesOf, scopesOf, severity } from './scopes';
import { scopeState } from './standing';
import { entry, exposureOf, type Draft } from './state';

/** Keeps the desk's state within what one workflow can carry. */
export const MOST_OPEN_PERMITS = 2_000;

const MINUTE = 60_000;
/** As many as prices that are asked for may have. */
const PRICE_PLACES = 15;

type ParsedLimits = Readonly<Partial<Record<LimitName, Decimal>>>;

/** What is the same for all requests of a batch, found out once. */
export interface Batch {
  readonly limits: Map<Scope, ParsedLimits>;
  readonly breached: Map<Scope, readonly LimitName[]>;
  open: number;
  /** For how many more orders there is room until the journal has caught up. */
  room: number;
}

export function openBatch({ desk }: Draft, room = Infinity): Batch {
  return { limits: new Map(), breached: new Map(), open: Object.keys(desk.permits).length, room };
}

export interface Admission {
  readonly instrument: string;
  readonly reduces: boolean;
  /** What one unit of it counts as. */
  readonly counted_at: string;
}

/**
 * The price of a sell is the least it may get, and it may get the market's: sold for nothing at worst it would count as nothing, whatever it
 * sells. Who does not say what the market's is has it counted at the latest price of what is held.
 */
function countedPrice({ desk }: Draft, { side, price, market }: PermitRequest, instrument: string): string {
  const held = entry(desk.positions, instrument)?.price;
  // That of a fill may have no end, and what is reserved must go without a rest.
  const worth = market?.price ?? (held === undefined ? price : formatDecimal(decimal(held), PRICE_PLACES));
  return side === 'sell' && decimal(worth).gt(decimal(price)) ? worth : price;
}

/** Changes nothing. Throws a `HoldfastError` with a `DenialCode`. */
export function admit(draft: Draft, batch: Batch, request: PermitRequest): Admission {
  assertUnused(draft, request);
  if (request.currency !== draft.desk.currency) refuse('WrongCurrency', `the desk counts in ${draft.desk.currency}`);
  assertBotMayTrade(draft, request);
  if (batch.open >= MOST_OPEN_PERMITS) refuse('DeskBusy', `${MOST_OPEN_PERMITS} permits are open already`);
  const instrument = instrumentOf(request.account, request);
  const reduces = isCovered(draft, request, instrument);
  const counted_at = countedPrice(draft, request, instrument);
  assertProven(draft, { instrument, reduces }, request);
  if (!reduces && batch.room <= 0)
    refuse('AuditUnavailable', 'too many orders wait for the journal, and this one increases');
  for (const scope of scopesOf(request)) {
    const limits = limitsOf(draft, batch, scope);
    assertPrice(request, scope, limits);
    assertRate(draft, scope, limits);
    if (reduces) continue;
    assertWithin(draft, { scope, limits, breached: breachedOf(draft, batch, scope) }, { ...request, counted_at });
  }
  return { instrument, reduces, counted_at };
}

/** Whole seconds, counted a little too long, so that no minute ever holds more than was granted. */
export function grantsWithin(
  grants: readonly (readonly [number, number])[],
  now: number,
): readonly (readonly [number, number])[] {
  return grants.filter(([second]) => (second + 1) * 1_000 > now - MINUTE);
}

export function hasRate(draft: Draft, batch: Batch, scope: Scope): boolean {
  return limitsOf(draft, batch, scope).order_rate !== undefined;
}

function assertUnused({ desk }: Draft, { permit_id }: PermitRequest): void {
  if (entry(desk.permits, permit_id) !== undefined || find(desk.ended, permit_id) !== undefined) {
    refuse('AlreadyUsed', `permit ${permit_id} was granted before`);
  }
}

function assertBotMayTrade({ desk }: Draft, { bot_id, venue }: PermitRequest): void {
  if (bot_id === undefined) return;
  const bot = entry(desk.bots, bot_id) ?? refuse('UnknownScope', `bot ${bot_id} is not registered`);
  if (!bot.venues.includes(venue)) refuse('InvalidInput', `bot ${bot_id} is not registered for venue ${venue}`);
}

/** By what fills have proven, in the account and in what its bot and strategy hold: an order that one of them lacks opens there. */
function isCovered({ desk }: Draft, request: PermitRequest, instrument: string): boolean {
  const position = entry(desk.positions, instrument);
  const quantity = decimal(request.quantity);
  const holdings = [position, ...partScopesOf(request).map((scope) => position?.parts[scope])];
  return holdings.every((holding) => quantity.lte(reducible(holding, request.side)));
}

function assertProven(
  draft: Draft,
  { instrument, reduces }: Omit<Admission, 'counted_at'>,
  request: PermitRequest,
): void {
  const state = mostSevere(scopesOf(request).map((scope) => scopeState(draft, scope)));
  const passesHalt = request.purpose !== undefined && severity(state) <= severity('halt');
  if (severity(state) >= severity('halt') && !passesHalt) denyHalted(draft, request, state);
  const isUnproven = entry(draft.desk.unproven, instrument) !== undefined;
  const mustReduce = severity(state) >= severity('halt');
  if (isUnproven && (reduces || mustReduce)) refuse('PositionUnproven', `an order of ${instrument} has an unknown end`);
  if (mustReduce && !reduces) denyHalted(draft, request, state);
}

function denyHalted(draft: Draft, request: PermitRequest, state: EmergencyState): never {
  const scope = scopesOf(request).find((each) => scopeState(draft, each) === state) ?? 'global';
  return refuse('EmergencyHalted', `${scope} is in ${state}`);
}

function limitsOf({ desk }: Draft, { limits }: Batch, scope: Scope): ParsedLimits {
  const known = limits.get(scope);
  if (known !== undefined) return known;
  const values = Object.entries(entry(desk.limits, scope)?.values ?? {});
  const parsed = Object.fromEntries(values.map(([name, value]) => [name, decimal(value)]));
  limits.set(scope, parsed);
  return parsed;
}

/** Losses do not change while permits are asked for; exposure does, and is checked with every request. */
function breachedOf(draft: Draft, { breached }: Batch, scope: Scope): readonly LimitName[] {
  const known = breached.get(scope) ?? breachedLimits(draft, scope);
  breached.set(scope, known);
  return known;
}

function assertPrice(
  { price, market }: PermitRequest,
  scope: Scope,
  { max_price_age, price_collar_percent }: ParsedLimits,
): void {
  if (max_price_age === undefined && price_collar_percent === undefined) return;
  if (market === undefined)
    return refuse('StalePrice', `${scope} has limits on the price, and the market’s is missing`);
  if (max_price_age?.times('1000').lt(String(market.age_ms)) === true) {
    refuse('StalePrice', `the market’s price is ${market.age_ms} ms old; ${scope} allows ${max_price_age.toFixed()} s`);
  }
  if (price_collar_percent === undefined) return;
  const reference = decimal(market.price);
  const away = decimal(price).minus(reference).abs().times('100');
  if (away.gt(price_collar_percent.times(reference))) exceed(scope, 'price_collar_percent');
}

function assertRate(draft: Draft, scope: Scope, { order_rate }: ParsedLimits): void {
  if (order_rate === undefined) return;
  const granted = grantsWithin(exposureOf(draft, scope).grants, draft.desk.clock).reduce(
    (sum, [, count]) => sum + count,
    0,
  );
  if (order_rate.lt(String(granted + 1))) exceed(scope, 'order_rate');
}

interface Room {
  readonly scope: Scope;
  readonly limits: ParsedLimits;
  readonly breached: readonly LimitName[];
}

function assertWithin(
  draft: Draft,
  { scope, limits, breached }: Room,
  { quantity, counted_at }: Pick<PermitRequest, 'quantity'> & Pick<Admission, 'counted_at'>,
): void {
  const [first] = breached;
  if (first !== undefined) exceed(scope, first);
  const { max_order_notional, max_position_notional, max_open_orders } = limits;
  const notional = decimal(quantity).times(decimal(counted_at));
  if (max_order_notional?.lt(notional) === true) exceed(scope, 'max_order_notional', notional);
  if (max_position_notional !== undefined) {
    const would = committed(draft, scope).plus(notional);
    if (would.gt(max_position_notional)) exceed(scope, 'max_position_notional', would);
  }
  if (max_open_orders?.lt(String(exposureOf(draft, scope).open + 1)) === true) exceed(scope, 'max_open_orders');
}

function exceed(scope: Scope, limit: LimitName, would?: Decimal): never {
  const amount = would === undefined ? '' : `: it would be ${formatDecimal(would, 8)}`;
  return refuse('LimitExceeded', `${limit} of ${scope}${amount}`);
}
