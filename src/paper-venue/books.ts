/**
 * Orders, fills and balances of one market.
 *
 * B1. The books are a fold of their events, so a restart that reads them back has the same books.
 * B2. No balance is ever negative, and what is locked of an asset is the sum of what its orders hold.
 * B3. Money only moves by a deposit or a fill: what a buy pays and gets, a sell gets and pays, and a commission takes.
 */
import { decimal, type Decimal } from '../money';
import { fixed, least, ZERO } from './steps';
import { isOpen, type AcceptedOrder, type BookEvent, type Fill, type Order } from './orders';

export interface Holding {
  readonly free: Decimal;
  readonly locked: Decimal;
}

export interface Assets {
  readonly base: string;
  readonly quote: string;
}

type Ended = Extract<BookEvent, { type: 'ended' }>;
const NOTHING: Holding = { free: ZERO, locked: ZERO };

export class Books {
  readonly #assets: Assets;
  readonly #orders = new Map<number, Order>();
  readonly #open = new Map<number, Order>();
  readonly #withheld = new Map<number, Order>();
  readonly #byClientId = new Map<string, number>();
  readonly #fills = new Map<number, Fill[]>();
  readonly #holdings = new Map<string, Map<string, Holding>>();
  #lastOrder = 0;
  #lastTrade = 0;
  #facts = 0;

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  get nextOrderId(): number {
    return this.#lastOrder + 1;
  }

  get nextTradeId(): number {
    return this.#lastTrade + 1;
  }

  /** How many events there were: the number of the last one. */
  get facts(): number {
    return this.#facts;
  }

  get accounts(): readonly string[] {
    return [...this.#holdings.keys()];
  }

  /** In the order of their acceptance. */
  get orders(): readonly Order[] {
    return [...this.#orders.values()];
  }

  get open(): readonly Order[] {
    return [...this.#open.values()];
  }

  /** Ended orders of which a fill is still to be told. */
  get withheld(): readonly Order[] {
    return [...this.#withheld.values()];
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  order(order_id: number): Order | undefined {
    return this.#orders.get(order_id);
  }

  /** The latest one under that id: an id may be used again once its order has ended. */
  byClientId(account: string, client_order_id: string): Order | undefined {
    return this.#orders.get(this.#byClientId.get(`${account}/${client_order_id}`) ?? -1);
  }

  fillsOf(order_id: number): readonly Fill[] {
    return this.#fills.get(order_id) ?? [];
  }

  assetsOf(account: string): readonly (readonly [string, Holding])[] {
    return [...(this.#holdings.get(account) ?? [])];
  }

  holding(account: string, asset: string): Holding {
    return this.#holdings.get(account)?.get(asset) ?? NOTHING;
  }

  apply(event: BookEvent): void {
    this.#facts += 1;
    switch (event.type) {
      case 'deposited':
        this.#move(event.account, event.asset, { free: decimal(event.amount), locked: ZERO });
        return;
      case 'accepted':
        this.#accept(event.order);
        return;
      case 'triggered':
        this.#trigger(event.order_id, event.at_ms);
        return;
      case 'filled':
        this.#fill(event.fill);
        return;
      case 'ended':
        this.#end(event);
    }
  }

  #accept(accepted: AcceptedOrder): void {
    const { order_id, account, client_order_id, accepted_ms } = accepted;
    const locked = decimal(accepted.locked);
    const working = accepted.type !== 'STOP_LOSS' && accepted.type !== 'STOP_LOSS_LIMIT';
    this.#lastOrder = Math.max(this.#lastOrder, order_id);
    this.#byClientId.set(`${account}/${client_order_id}`, order_id);
    this.#move(account, this.#pays(accepted), { free: ZERO.minus(locked), locked });
    this.#put({
      accepted,
      locked,
      working,
      status: 'NEW',
      quantity: decimal(accepted.quantity),
      price: optional(accepted.price),
      stop_price: optional(accepted.stop_price),
      executed: ZERO,
      executed_quote: ZERO,
      working_ms: working ? accepted_ms : -1,
      updated_ms: accepted_ms,
      withheld: undefined,
    });
  }

  /** A stop order without a limit price holds nothing from here on: it pays what the market asks. */
  #trigger(order_id: number, at_ms: number): void {
    const order = this.#known(order_id);
    const triggered = { ...order, working: true, working_ms: at_ms, updated_ms: at_ms };
    this.#put(order.price === undefined ? this.#release(triggered, order.locked) : triggered);
  }

  #fill(fill: Fill): void {
    const before = this.#known(fill.order_id);
    const { side, account } = before.accepted;
    const quantity = decimal(fill.quantity);
    const notional = quantity.times(decimal(fill.price));
    const pays = side === 'BUY' ? notional : quantity;
    const gets = (side === 'BUY' ? quantity : notional).minus(decimal(fill.commission));
    const order = this.#release(before, least(before.locked, lockFor(before, quantity) ?? pays));
    this.#move(account, this.#pays(order.accepted), { free: ZERO.minus(pays), locked: ZERO });
    this.#move(account, this.#gets(order.accepted), { free: gets, locked: ZERO });
    this.#lastTrade = Math.max(this.#lastTrade, fill.trade_id);
    this.#fills.set(fill.order_id, [...this.fillsOf(fill.order_id), fill]);
    const executed = order.executed.plus(quantity);
    const full = executed.eq(order.quantity) ? 'FILLED' : 'PARTIALLY_FILLED';
    this.#put({
      ...order,
      executed,
      executed_quote: order.executed_quote.plus(notional),
      status: isOpen(order) ? full : order.status,
      updated_ms: fill.at_ms,
      withheld: undefined,
    });
  }

  #end({ order_id, status, at_ms, withheld: late }: Ended): void {
    const order = this.#known(order_id);
    const withheld = late && { quantity: decimal(late.quantity), due_ms: late.due_ms };
    const kept = withheld === undefined ? ZERO : (lockFor(order, withheld.quantity) ?? ZERO);
    this.#put({ ...this.#release(order, order.locked.minus(kept)), status, updated_ms: at_ms, withheld });
  }

  #release(order: Order, amount: Decimal): Order {
    this.#move(order.accepted.account, this.#pays(order.accepted), { free: amount, locked: ZERO.minus(amount) });
    return { ...order, locked: order.locked.minus(amount) };
  }

  #put(order: Order): void {
    const { order_id } = order.accepted;
    this.#orders.set(order_id, order);
    if (isOpen(order)) this.#open.set(order_id, order);
    else this.#open.delete(order_id);
    if (order.withheld === undefined) this.#withheld.delete(order_id);
    else this.#withheld.set(order_id, order);
  }

  #move(account: string, asset: string, by: Holding): void {
    const before = this.holding(account, asset);
    const after = { free: before.free.plus(by.free), locked: before.locked.plus(by.locked) };
    const held = this.#holdings.get(account) ?? new Map<string, Holding>();
    this.#holdings.set(account, held.set(asset, after));
  }

  #pays({ side }: AcceptedOrder): string {
    return side === 'BUY' ? this.#assets.quote : this.#assets.base;
  }

  #gets({ side }: AcceptedOrder): string {
    return side === 'BUY' ? this.#assets.base : this.#assets.quote;
  }

  #known(order_id: number): Order {
    const order = this.#orders.get(order_id);
    if (order === undefined) throw new RangeError(`no order ${order_id}`);
    return order;
  }
}

/** What an order holds for a part of its quantity; undefined for a market buy, which holds what it is about to pay. */
export function lockFor(
  { accepted: { side, type }, price, stop_price }: Pick<Order, 'accepted' | 'price' | 'stop_price'>,
  quantity: Decimal,
): Decimal | undefined {
  if (side === 'SELL') return quantity;
  const per = price ?? (type === 'STOP_LOSS' ? stop_price : undefined);
  return per?.times(quantity);
}

/** All that the books hold, as plain JSON: what tests compare with. */
export function booksAsJson(books: Books) {
  return {
    accounts: books.accounts.map((account) => ({
      account,
      balances: books.assetsOf(account).map(([asset, { free, locked }]) => ({
        asset,
        free: fixed(free),
        locked: fixed(locked),
      })),
    })),
    orders: books.orders.map((order) => ({
      ...order.accepted,
      status: order.status,
      locked: fixed(order.locked),
      executed: fixed(order.executed),
      executed_quote: fixed(order.executed_quote),
      updated_ms: order.updated_ms,
      late_fill_due_ms: order.withheld?.due_ms ?? null,
    })),
    fills: books.orders.flatMap(({ accepted }) => books.fillsOf(accepted.order_id)),
  };
}

function optional(text: string | undefined): Decimal | undefined {
  return text === undefined ? undefined : decimal(text);
}
