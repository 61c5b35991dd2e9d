/** Orders and the facts about them. Facts are all the venue keeps: its books are what they add up to. */
import type { Decimal } from '../money';

export type Side = 'BUY' | 'SELL';
export type OrderType = 'MARKET' | 'LIMIT' | 'LIMIT_MAKER' | 'STOP_LOSS' | 'STOP_LOSS_LIMIT';
export type TimeInForce = 'GTC' | 'IOC' | 'FOK';
/** `EXPIRED`: what the market did not give a market, IOC or FOK order. */
export type OrderStatus = 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'EXPIRED';

/** An order as it is asked for, read and checked. A market order has one of the two quantities. */
export interface OrderDraft {
  readonly account: string;
  readonly client_order_id: string;
  readonly side: Side;
  readonly type: OrderType;
  readonly time_in_force: TimeInForce;
  readonly quantity?: Decimal;
  /** Of a market order: how much quote currency it is to trade. */
  readonly quote_quantity?: Decimal;
  readonly price?: Decimal;
  readonly stop_price?: Decimal;
  /** Not to be found until so long after its acceptance, milliseconds. */
  readonly hidden_for_ms?: number;
}

/** Decimals as text: it is written to a file. Times ending in `_ms` are the venue's wall clock. */
export interface AcceptedOrder {
  readonly order_id: number;
  readonly account: string;
  readonly client_order_id: string;
  readonly side: Side;
  readonly type: OrderType;
  readonly time_in_force: TimeInForce;
  readonly quantity: string;
  readonly quote_quantity?: string;
  readonly price?: string;
  readonly stop_price?: string;
  /** Taken out of the free balance: quote currency of a buy, base currency of a sell. */
  readonly locked: string;
  readonly accepted_ms: number;
  readonly hidden_until_ms?: number;
  /** Recorded milliseconds since the anchor of the replay; bars that opened before say nothing about it. */
  readonly market_at: number;
}

export interface Fill {
  readonly trade_id: number;
  readonly order_id: number;
  readonly price: string;
  readonly quantity: string;
  readonly commission: string;
  readonly commission_asset: string;
  readonly maker: boolean;
  readonly at_ms: number;
}

export type BookEvent =
  | { readonly type: 'deposited'; readonly account: string; readonly asset: string; readonly amount: string }
  | { readonly type: 'accepted'; readonly order: AcceptedOrder }
  | { readonly type: 'triggered'; readonly order_id: number; readonly at_ms: number }
  | { readonly type: 'filled'; readonly fill: Fill }
  | {
      readonly type: 'ended';
      readonly order_id: number;
      readonly status: 'CANCELED' | 'EXPIRED';
      readonly at_ms: number;
      /** Of a cancel: the id of its own that it was sent under. */
      readonly cancel_id?: string;
      /** Of a late fill: this much stays locked, because it was traded before and is told later. */
      readonly withheld?: { readonly quantity: string; readonly due_ms: number };
    };

/** An order as the books have it. */
export interface Order {
  readonly accepted: AcceptedOrder;
  readonly status: OrderStatus;
  readonly quantity: Decimal;
  readonly price: Decimal | undefined;
  readonly stop_price: Decimal | undefined;
  readonly locked: Decimal;
  readonly executed: Decimal;
  readonly executed_quote: Decimal;
  /** A stop order whose price has come, or an order without one. */
  readonly working: boolean;
  readonly working_ms: number;
  readonly updated_ms: number;
  readonly withheld: { readonly quantity: Decimal; readonly due_ms: number } | undefined;
}

export function isOpen({ status }: Order): boolean {
  return status === 'NEW' || status === 'PARTIALLY_FILLED';
}

export function remainingOf({ quantity, executed }: Order): Decimal {
  return quantity.minus(executed);
}
