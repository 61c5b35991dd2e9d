/**
 * The exchange: takes orders, matches them against the recorded market, and writes down every fact before it counts.
 *
 * X1. A fact is kept before it is applied, and the facts of one request are kept together: a restart has all of them or none.
 * X2. Everything follows from the facts, the recorded market and the times it is given; there is no chance in it.
 * X3. While the venue does not run nothing is traded: what the market did meanwhile fills no order.
 */
import { decimal, type Decimal } from '../money';
import { assertAdmitted } from './admission';
import { lockFor, type Books } from './books';
import { against, isTriggered, shareOut, take, type Reach, type Step } from './matching';
import type { Level, Market, Position } from './market';
import {
  isOpen,
  remainingOf,
  type AcceptedOrder,
  type BookEvent,
  type Fill,
  type Order,
  type OrderDraft,
} from './orders';
import { refusals } from './refusal';
import { cut, floorTo, most, sumOf, ZERO } from './steps';
import { Taken } from './taken';

export interface Fees {
  /** Share of what is received: "0.001" is ten basis points. */
  readonly maker: string;
  readonly taker: string;
}

export interface EngineOptions {
  readonly market: Market;
  /** As they were kept. */
  readonly books: Books;
  readonly fees: Fees;
  /** Of what a bar traded, how much resting orders get. */
  readonly participation: string;
  /** Keeps facts, all or none. Throws when it cannot. */
  readonly keep: (events: readonly BookEvent[]) => void;
  /** Hears each fact once the books have it, so that it can be told on. */
  readonly told?: (event: BookEvent) => void;
  /** Recorded milliseconds since the anchor now. */
  readonly market_ms: number;
}

export interface Instant {
  /** The venue's clock. */
  readonly wall_ms: number;
  /** Recorded milliseconds since the anchor. */
  readonly market_ms: number;
}

interface Trade {
  readonly order: Pick<Order, 'accepted'>;
  readonly levels: readonly Level[];
  readonly maker: boolean;
  readonly at_ms: number;
}

export interface CancelOptions {
  /** What the cancel itself goes by. */
  readonly cancel_id?: string;
  /** Half of what is left was traded just before, and that is told so many milliseconds later. */
  readonly late_ms?: number | undefined;
}

export class Engine {
  readonly market: Market;
  readonly books: Books;
  readonly fees: Fees;
  readonly #participation: Decimal;
  readonly #keep: EngineOptions['keep'];
  readonly #told: EngineOptions['told'];
  readonly #taken = new Taken();
  /** Orders from before this start, by their ids; for them the market began with it (X3), whatever the speed was then. */
  readonly #start: { readonly order_id: number; readonly market_ms: number };
  #position: Position;

  constructor({ market, books, fees, participation, keep, told, market_ms }: EngineOptions) {
    this.market = market;
    this.books = books;
    this.fees = fees;
    this.#participation = decimal(participation);
    this.#keep = keep;
    this.#told = told;
    this.#start = { order_id: books.nextOrderId, market_ms };
    this.#position = market.position(market_ms);
  }

  deposit(account: string, balances: Readonly<Record<string, string>>): void {
    this.#commit(Object.entries(balances).map(([asset, amount]) => ({ type: 'deposited', account, asset, amount })));
  }

  /** Goes through every bar that has closed since the last call. */
  advance({ wall_ms, market_ms }: Instant): void {
    this.#tellLateFills(wall_ms);
    const target = this.market.position(market_ms);
    for (const position of this.#ahead(target)) this.#step(position, wall_ms);
    this.#position = target;
  }

  /** Throws a `Refusal`. */
  place(draft: OrderDraft, now: Instant): Order {
    this.advance(now);
    const { index } = this.#position;
    if (!this.market.hasOpened(this.#position)) throw refusals.unavailable();
    assertAdmitted(draft, { market: this.market, books: this.books, index });
    const levels = draft.stop_price === undefined ? this.#reachable(draft) : [];
    if (draft.type === 'LIMIT_MAKER' && levels.length > 0) {
      throw refusals.rejected('Order would immediately match and take.');
    }
    const accepted = this.#accept(draft, levels, now);
    const order = { accepted, levels, quantity: decimal(accepted.quantity), isWaiting: draft.stop_price !== undefined };
    this.#take(levels, draft.side);
    this.#commit([{ type: 'accepted', order: accepted }, ...this.#outcome(order, now.wall_ms)]);
    return this.#known(accepted.order_id);
  }

  /** Throws a `Refusal`. */
  cancel(order: Order, now: Instant, { cancel_id, late_ms }: CancelOptions = {}): Order {
    this.advance(now);
    const current = this.#known(order.accepted.order_id);
    if (!isOpen(current)) throw refusals.unknownOrder();
    const { order_id } = current.accepted;
    const isLate = late_ms !== undefined && current.price !== undefined && current.working;
    const quantity = isLate ? this.#half(remainingOf(current)).toFixed() : '0';
    const withheld = isLate ? { withheld: { quantity, due_ms: now.wall_ms + late_ms } } : {};
    const own = cancel_id === undefined ? {} : { cancel_id };
    this.#commit([{ type: 'ended', order_id, status: 'CANCELED', at_ms: now.wall_ms, ...own, ...withheld }]);
    return this.#known(order_id);
  }

  #reachable(draft: OrderDraft): readonly Level[] {
    const { type, quantity, quote_quantity: budget, price: limit } = draft;
    const levels = this.#match(draft, { quantity, budget, limit });
    const isWhole = type !== 'LIMIT' || draft.time_in_force !== 'FOK' || quantityOf(levels).eq(quantity ?? ZERO);
    return isWhole ? levels : [];
  }

  #match({ side }: Pick<OrderDraft, 'side'>, reach: Reach): readonly Level[] {
    const depth = this.market.depth(this.#position.index);
    const levels = this.#taken.left(this.#position, side, against(side, depth));
    return take(side, levels, reach, this.market.step);
  }

  #take(levels: readonly Level[], side: OrderDraft['side']): void {
    if (levels.length > 0) this.#taken.note(this.#position, side, levels);
  }

  /** Throws a `Refusal` when the account cannot pay for it. */
  #accept(draft: OrderDraft, levels: readonly Level[], { wall_ms, market_ms }: Instant): AcceptedOrder {
    const { account, side, price, stop_price, quote_quantity, hidden_for_ms } = draft;
    const quantity = draft.quantity ?? quantityOf(levels);
    if (quantity.lt(this.market.data.rules.min_quantity)) throw refusals.filter('LOT_SIZE');
    const text = {
      quantity: quantity.toFixed(),
      ...(price === undefined ? {} : { price: price.toFixed() }),
      ...(stop_price === undefined ? {} : { stop_price: stop_price.toFixed() }),
      ...(quote_quantity === undefined ? {} : { quote_quantity: quote_quantity.toFixed() }),
      ...(hidden_for_ms === undefined ? {} : { hidden_until_ms: wall_ms + hidden_for_ms }),
    };
    const { client_order_id, type, time_in_force } = draft;
    const named = { order_id: this.books.nextOrderId, account, client_order_id, side, type, time_in_force };
    const accepted = { ...named, ...text, locked: '0', accepted_ms: wall_ms, market_at: market_ms };
    const locked = lockFor({ accepted, price, stop_price }, quantity) ?? notionalOf(levels);
    const asset = side === 'BUY' ? this.market.data.quote : this.market.data.base;
    if (locked.gt(this.books.holding(account, asset).free)) {
      throw refusals.rejected('Account has insufficient balance for requested action.');
    }
    return { ...accepted, locked: locked.toFixed() };
  }

  /** What becomes of an order at once: its fills as a taker, and its end when the rest may not wait. */
  #outcome(
    order: { accepted: AcceptedOrder; levels: readonly Level[]; quantity: Decimal; isWaiting: boolean },
    at_ms: number,
  ): BookEvent[] {
    const { accepted, levels, quantity, isWaiting } = order;
    const fills = this.#fills({ order, levels, maker: false, at_ms });
    const rests = accepted.price !== undefined && accepted.time_in_force === 'GTC';
    if (isWaiting || rests || quantityOf(levels).eq(quantity)) return fills;
    return [...fills, { type: 'ended', order_id: accepted.order_id, status: 'EXPIRED', at_ms }];
  }

  /** The bars that closed meanwhile, as long as there is an order they could matter to. */
  *#ahead(target: Position): Generator<Position> {
    for (const position of this.market.between(this.#position, target)) {
      if (this.books.isIdle) return;
      this.#position = position;
      if (this.market.hasOpened(position)) yield position;
    }
  }

  #step(position: Position, at_ms: number): void {
    const step = this.#read(position);
    const open = this.books.open;
    for (const order of open.filter((each) => !each.working && isTriggered(each, step))) this.#trigger(order, at_ms);
    const resting = open.filter(({ working, price }) => working && price !== undefined);
    const shares = shareOut(resting, step, this.#participation, this.market);
    for (const { order, quantity } of shares) {
      const levels = [{ price: order.price ?? ZERO, quantity }];
      this.#commit(this.#fills({ order, levels, maker: true, at_ms }));
    }
  }

  #read(position: Position): Step {
    const { index } = position;
    const openedAt = this.market.openedAt(position);
    return {
      bar: this.market.bar(index),
      isWholeFor: ({ accepted: { order_id, market_at } }) =>
        openedAt >= (order_id < this.#start.order_id ? this.#start.market_ms : market_at),
      depth: this.market.depth(index),
    };
  }

  /** From here on it is the order it was to become. A market order buys no more than the account can pay by then. */
  #trigger(order: Order, at_ms: number): void {
    const { order_id, account, side } = order.accepted;
    const { free } = this.books.holding(account, this.market.data.quote);
    const budget = side === 'BUY' && order.price === undefined ? free.plus(order.locked) : undefined;
    const reach = { quantity: remainingOf(order), limit: order.price, budget };
    const levels = this.#match(order.accepted, reach);
    const isKilled = order.accepted.time_in_force === 'FOK' && !quantityOf(levels).eq(remainingOf(order));
    const allowed = isKilled ? [] : levels;
    this.#take(allowed, side);
    const working = { accepted: order.accepted, levels: allowed, quantity: remainingOf(order), isWaiting: false };
    this.#commit([{ type: 'triggered', order_id, at_ms }, ...this.#outcome(working, at_ms)]);
  }

  #tellLateFills(now_ms: number): void {
    for (const order of this.books.withheld) {
      const { withheld, price, updated_ms } = order;
      if (withheld === undefined || price === undefined || withheld.due_ms > now_ms) continue;
      const levels = [{ price, quantity: withheld.quantity }];
      this.#commit(this.#fills({ order, levels, maker: true, at_ms: updated_ms }));
    }
  }

  #fills({ order: { accepted }, levels, maker, at_ms }: Trade): BookEvent[] {
    const rate = decimal(maker ? this.fees.maker : this.fees.taker);
    const { base, quote } = this.market.data;
    return levels.map(({ price, quantity }, ordinal): BookEvent => {
      const received = accepted.side === 'BUY' ? quantity : quantity.times(price);
      const fill: Fill = {
        trade_id: this.books.nextTradeId + ordinal,
        order_id: accepted.order_id,
        price: price.toFixed(),
        quantity: quantity.toFixed(),
        commission: cut(received.times(rate)).toFixed(),
        commission_asset: accepted.side === 'BUY' ? base : quote,
        maker,
        at_ms,
      };
      return { type: 'filled', fill };
    });
  }

  #half(quantity: Decimal): Decimal {
    return most(this.market.step, floorTo(quantity.div('2'), this.market.step));
  }

  #commit(events: readonly BookEvent[]): void {
    this.#keep(events);
    for (const event of events) {
      this.books.apply(event);
      this.#told?.(event);
    }
  }

  #known(order_id: number): Order {
    const order = this.books.order(order_id);
    if (order === undefined) throw new RangeError(`no order ${order_id}`);
    return order;
  }
}

function quantityOf(levels: readonly Level[]): Decimal {
  return sumOf(levels.map(({ quantity }) => quantity));
}

function notionalOf(levels: readonly Level[]): Decimal {
  return sumOf(levels.map(({ price, quantity }) => price.times(quantity)));
}
