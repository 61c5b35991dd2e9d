/** Whether the venue takes an order: what is asked of every order of the market, in the order Binance asks it. */
import { decimal } from '../money';
import type { Books } from './books';
import type { Market } from './market';
import { isOpen, type OrderDraft } from './orders';
import { refusals } from './refusal';
import { isMultiple } from './steps';

export interface AdmissionContext {
  readonly market: Market;
  readonly books: Books;
  /** Last bar that has closed. */
  readonly index: number;
}

/** Throws a `Refusal`. Whether there is money for it is another question. */
export function assertAdmitted(draft: OrderDraft, { market, books, index }: AdmissionContext): void {
  assertPrices(draft, market);
  assertQuantity(draft, market);
  assertNotional(draft, market, index);
  const same = books.byClientId(draft.account, draft.client_order_id);
  if (same !== undefined && isOpen(same)) throw refusals.rejected('Duplicate order sent.');
  assertStop(draft, market, index);
}

function assertPrices({ price, stop_price }: OrderDraft, market: Market): void {
  for (const each of [price, stop_price]) {
    if (each === undefined) continue;
    if (each.lte('0')) throw refusals.invalid('price');
    if (!isMultiple(each, market.tick)) throw refusals.filter('PRICE_FILTER');
  }
}

function assertQuantity({ quantity, quote_quantity }: OrderDraft, { data, step }: Market): void {
  if (quote_quantity?.lte('0') === true) throw refusals.invalid('quantity');
  if (quantity === undefined) return;
  if (quantity.lte('0')) throw refusals.invalid('quantity');
  const { min_quantity, max_quantity } = data.rules;
  const fits = quantity.gte(min_quantity) && quantity.lte(max_quantity) && isMultiple(quantity, step);
  if (!fits) throw refusals.filter('LOT_SIZE');
}

/** A market order is valued at the last price. */
function assertNotional(draft: OrderDraft, market: Market, index: number): void {
  const price = draft.price ?? draft.stop_price ?? decimal(market.candle(index).close);
  const notional = draft.quote_quantity ?? draft.quantity?.times(price);
  if (notional?.lt(market.data.rules.min_notional) === true) throw refusals.filter('NOTIONAL');
}

function assertStop({ side, stop_price }: OrderDraft, market: Market, index: number): void {
  if (stop_price === undefined) return;
  const last = decimal(market.candle(index).close);
  const isBeyond = side === 'BUY' ? stop_price.lte(last) : stop_price.gte(last);
  if (isBeyond) throw refusals.rejected('Stop price would trigger immediately.');
}
