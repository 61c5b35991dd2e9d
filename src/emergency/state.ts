/**
 * All the desk remembers: plain JSON, so it survives continue-as-new, a crash and a change of worker. Never changed in place; a decision
 * works on a draft, which copies a table when it first writes to it, once for a whole batch of permits.
 */
import type { Bot, Cause, CommandAnswer, Effect, LimitName, OrderFact, OrderNews, PermitRequest, Scope } from './model';
import { decimal, formatDecimal, type Decimal } from '../money';

type Table<T> = Readonly<Record<string, T>>;

/** What holds of a scope that is not normal; a normal scope has none. */
export interface Standing {
  readonly causes: readonly Cause[];
  /** Of its latest change. */
  readonly epoch: number;
  /** When it was closed for increasing orders; absent below `halt`. */
  readonly halted_at?: number;
  /** Since when no increasing order of it can be accepted by a venue. */
  readonly sealed_at?: number;
  /** A resume after `shutdown` that waits for a second person. */
  readonly pending?: PendingResume;
}

export interface PendingResume {
  readonly actor: string;
  readonly expected_epoch: number;
  readonly until: number;
}

export interface ScopeLimits {
  readonly values: Readonly<Partial<Record<LimitName, string>>>;
  readonly auto_halt: boolean;
}

/** What is at stake in a scope: running totals, so a permit costs no walk over the open ones. */
export interface Exposure {
  /** Quantity times price of what open increasing permits may still fill. */
  readonly reserved: string;
  /** Quantity times latest price of what is held. */
  readonly held: string;
  /** Increasing permits whose reservation has not ended. */
  readonly open: number;
  /** Increasing permits whose order may still be accepted by a venue. */
  readonly unsettled: number;
  /** `[second, granted]`, of the last minute, while the scope has an `order_rate`. */
  readonly grants: readonly (readonly [number, number])[];
}

export interface LiveExposure {
  reserved: Decimal;
  held: Decimal;
  open: number;
  unsettled: number;
  grants: readonly (readonly [number, number])[];
}

export interface DayBook {
  readonly starts: number;
  readonly ends: number;
  /** By average cost, before fees. */
  readonly realized: string;
  readonly fees: string;
}

export interface EquityMark {
  readonly at: number;
  readonly equity: string;
}

/** `[at, amount]` */
export type Movement = readonly [number, string];

export interface EquityBook {
  readonly mark: EquityMark;
  readonly day: { readonly starts: number; readonly ends: number };
  /** The last mark at or before the day's midnight, with what was made of it until then; without one, the day's first. */
  readonly opening: EquityMark;
  /** The highest equity so far; money paid in or out moves it. */
  readonly high_water: string;
  /** Money paid in or out, since the opening. */
  readonly flows: readonly Movement[];
  /** What fills and prices made of the equity since the mark. */
  readonly drift: readonly Movement[];
}

/** What a scope earned and lost. */
export interface Book {
  /** Newest first. */
  readonly days: readonly DayBook[];
  readonly equity?: EquityBook;
  /** Orders in a row that realised a loss. */
  readonly losses: number;
  /** How far each limit was used when it was last judged. */
  readonly levels: Readonly<Partial<Record<LimitName, Level>>>;
}

export interface Level {
  readonly level: 'below' | 'approaching' | 'exceeded';
  /** Full tenths of the limit. */
  readonly tenths: number;
}

/** A quantity held, positive for long, and what open permits may still reduce it by, per side. */
export interface Holding {
  readonly quantity: string;
  readonly notional: string;
  readonly buy: string;
  readonly sell: string;
}

/** Of one symbol in one account of one venue. Confirmed: fills made it. */
export interface Position extends Holding {
  readonly venue: string;
  readonly symbol: string;
  /** What the quantity was bought or sold short for. */
  readonly cost: string;
  readonly price: string;
  readonly price_at: number;
  /** What bots and strategies hold of it. */
  readonly parts: Table<Holding>;
}

export interface OpenPermit {
  readonly instrument: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: PermitRequest['side'];
  /** Of a closed one what the venue says it filled. */
  readonly quantity: string;
  /** What was permitted, where the quantity is not that any more. */
  readonly ordered?: string;
  readonly price: string;
  /** What one unit counts as, where that is not its price. */
  readonly counted_at?: string;
  readonly filled: string;
  readonly reduces: boolean;
  /** `closed`: its order has ended, and fills up to its quantity are still to come. */
  readonly status: 'granted' | 'acknowledged' | 'fenced' | 'closed';
  /** Nobody knows how its order ended. */
  readonly unknown?: true;
  readonly epoch: number;
  readonly at: number;
  readonly execution_id: string;
  readonly workflow_id?: string;
  readonly mode?: PermitRequest['mode'];
  readonly client_order_id?: string;
  /** What its fills are reported under, where that is neither the client order id nor the permit's. */
  readonly order_id?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
}

/** What the latest report of an order said. */
export interface OrderSoFar {
  readonly instrument: string;
  readonly side: PermitRequest['side'];
  readonly quantity: string;
  readonly notional: string;
  readonly fees: string;
  /** Before fees; absent while it closed nothing. */
  readonly realized?: string;
  readonly at: number;
  /** Whether it has counted as a profit or a loss. */
  readonly judged: boolean;
}

export interface RememberedCommand {
  readonly command_id: string;
  readonly body: string;
  readonly raises: boolean;
  readonly at: number;
  readonly answer: CommandAnswer;
}

export interface DeskState {
  readonly v: 1;
  readonly desk_id: string;
  readonly currency: string;
  readonly time_zone: string;
  /** The latest moment it has seen; time never runs backwards for it. */
  readonly clock: number;
  readonly epoch: number;
  /** Until then an order may be accepted by a venue that a permit was for which is forgotten here. */
  readonly blind_until?: number;
  readonly scopes: Table<Standing>;
  readonly limits: Table<ScopeLimits>;
  readonly exposures: Table<Exposure>;
  readonly books: Table<Book>;
  readonly bots: Table<Bot>;
  readonly positions: Table<Position>;
  readonly permits: Table<OpenPermit>;
  /** Orders with an unknown end, by instrument. */
  readonly unproven: Table<number>;
  /** Ids of permits that ended, the newest group first. */
  readonly ended: readonly Table<1>[];
  /** The newest group first. */
  readonly orders: readonly Table<OrderSoFar>[];
  /** A report at or before this moment of an order that is not remembered may be a repeat. */
  readonly orders_forgotten_until: number;
  readonly commands: readonly RememberedCommand[];
}

type TableName = 'scopes' | 'limits' | 'exposures' | 'books' | 'bots' | 'positions' | 'permits' | 'unproven';
type Entry<T extends TableName> = DeskState[T] extends Table<infer E> ? E : never;

export interface Draft {
  readonly desk: { -readonly [K in keyof DeskState]: DeskState[K] };
  readonly copied: Set<TableName>;
  readonly exposures: Map<Scope, LiveExposure>;
  readonly effects: Effect[];
  /** Orders this input changed, by permit or, without one, by order. */
  readonly orders: Map<string, OrderChange>;
}

export interface OrderChange {
  readonly news: Set<OrderNews>;
  /** Of an order that has no open permit any more; else it is made of the permit when the input was decided. */
  fact?: OrderFact;
}

const NOTHING: Exposure = { reserved: '0', held: '0', open: 0, unsettled: 0, grants: [] };

export function openDraft(state: DeskState, now: number): Draft {
  const clock = Math.max(state.clock, now);
  return { desk: { ...state, clock }, copied: new Set(), exposures: new Map(), effects: [], orders: new Map() };
}

/** The entry itself, never what every object inherits: callers choose the keys. */
export function entry<T>(table: Table<T>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

export function put<T extends TableName>(draft: Draft, name: T, key: string, value: Entry<T>): void {
  (writable(draft, name) as Record<string, Entry<T>>)[key] = value;
}

export function remove(draft: Draft, name: TableName, key: string): void {
  Reflect.deleteProperty(writable(draft, name), key);
}

function writable(draft: Draft, name: TableName): object {
  if (!draft.copied.has(name)) {
    Object.assign(draft.desk, { [name]: { ...draft.desk[name] } });
    draft.copied.add(name);
  }
  return draft.desk[name];
}

export function nextEpoch({ desk }: Draft): number {
  desk.epoch += 1;
  return desk.epoch;
}

/** Decimals are parsed once per batch and scope; whoever asks may change what is returned. */
export function exposureOf(draft: Draft, scope: Scope): LiveExposure {
  const live = draft.exposures.get(scope);
  if (live !== undefined) return live;
  const { reserved, held, ...counts } = entry(draft.desk.exposures, scope) ?? NOTHING;
  const parsed = { reserved: decimal(reserved), held: decimal(held), ...counts };
  draft.exposures.set(scope, parsed);
  return parsed;
}

export function commit(draft: Draft): DeskState {
  for (const [scope, { reserved, held, ...counts }] of draft.exposures) {
    const isEmpty = counts.open + counts.unsettled + counts.grants.length === 0 && held.eq('0');
    if (!isEmpty) put(draft, 'exposures', scope, { reserved: exact(reserved), held: exact(held), ...counts });
    else if (entry(draft.desk.exposures, scope) !== undefined) remove(draft, 'exposures', scope);
  }
  return draft.desk;
}

/** Nothing is rounded away: amounts have at most 15 decimals, their products 30. */
export function exact(value: Decimal): string {
  return formatDecimal(value);
}
