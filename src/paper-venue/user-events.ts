/** What a fact means to the account it happened to, as Binance's spot user data stream writes it. Pure. */
import { decimal } from '../money';
import type { Books } from './books';
import { amounts } from './dialect';
import type { Market } from './market';
import { isOpen, type BookEvent, type Fill, type Order } from './orders';
import { fixed, ZERO } from './steps';

export interface UserEventContext {
  /** As they are right after the fact. */
  readonly books: Books;
  readonly market: Pick<Market, 'id' | 'data'>;
  readonly now_ms: number;
}

export interface UserEvents {
  readonly account: string;
  readonly events: readonly object[];
}

type Told = Exclude<BookEvent, { type: 'deposited' }>;
type ExecutionType = 'NEW' | 'TRADE' | 'CANCELED' | 'EXPIRED';

/** Undefined for a deposit: it is made before anybody can listen. */
export function userEvents(event: BookEvent, context: UserEventContext): UserEvents | undefined {
  if (event.type === 'deposited') return undefined;
  const order = context.books.order(orderIdOf(event));
  if (order === undefined) return undefined;
  const events = [executionReport(event, order, context), accountPosition(event, order, context)];
  return { account: order.accepted.account, events };
}

function executionReport(event: Told, order: Order, { books, market, now_ms }: UserEventContext) {
  const { accepted, working, working_ms } = order;
  const amount = amounts(order);
  return {
    e: 'executionReport',
    E: now_ms,
    s: market.id,
    ...idsOf(event, order),
    S: amount.side,
    o: amount.type,
    f: amount.timeInForce,
    q: amount.origQty,
    p: amount.price,
    P: amount.stopPrice ?? fixed(ZERO),
    F: fixed(ZERO),
    g: -1,
    x: executionType(event),
    X: amount.status,
    r: 'NONE',
    i: accepted.order_id,
    z: amount.executedQty,
    ...lastTrade(event.type === 'filled' ? event.fill : undefined),
    T: instantOf(event),
    I: books.facts,
    w: working && isOpen(order),
    M: false,
    O: accepted.accepted_ms,
    Z: amount.cummulativeQuoteQty,
    Q: amount.origQuoteOrderQty,
    ...(working ? { W: working_ms } : {}),
    V: 'NONE',
  };
}

/** Both assets of the market: each fact about an order may have changed what is free or locked of them. */
function accountPosition(event: Told, { accepted }: Order, { books, market, now_ms }: UserEventContext) {
  const balances = [market.data.base, market.data.quote].map((asset) => {
    const { free, locked } = books.holding(accepted.account, asset);
    return { a: asset, f: fixed(free), l: fixed(locked) };
  });
  return { e: 'outboundAccountPosition', E: now_ms, u: instantOf(event), B: balances };
}

function orderIdOf(event: Told): number {
  switch (event.type) {
    case 'accepted':
      return event.order.order_id;
    case 'filled':
      return event.fill.order_id;
    case 'triggered':
    case 'ended':
      return event.order_id;
  }
}

function instantOf(event: Told): number {
  switch (event.type) {
    case 'accepted':
      return event.order.accepted_ms;
    case 'filled':
      return event.fill.at_ms;
    case 'triggered':
    case 'ended':
      return event.at_ms;
  }
}

/** A stop order is new once more when its price has come: from then on it works. */
function executionType(event: Told): ExecutionType {
  switch (event.type) {
    case 'accepted':
    case 'triggered':
      return 'NEW';
    case 'filled':
      return 'TRADE';
    case 'ended':
      return event.status;
  }
}

/** A cancel goes by an id of its own, and names the order's beside it. */
function idsOf(event: Told, { accepted: { client_order_id } }: Order) {
  const cancel_id = event.type === 'ended' ? event.cancel_id : undefined;
  return cancel_id === undefined ? { c: client_order_id, C: '' } : { c: cancel_id, C: client_order_id };
}

function lastTrade(fill: Fill | undefined) {
  if (fill === undefined) {
    return { l: fixed(ZERO), L: fixed(ZERO), n: '0', N: null, t: -1, m: false, Y: fixed(ZERO) };
  }
  const [quantity, price] = [decimal(fill.quantity), decimal(fill.price)];
  return {
    l: fixed(quantity),
    L: fixed(price),
    n: fixed(decimal(fill.commission)),
    N: fill.commission_asset,
    t: fill.trade_id,
    m: fill.maker,
    Y: fixed(quantity.times(price)),
  };
}
