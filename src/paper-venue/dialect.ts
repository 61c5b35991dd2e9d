/** What the books hold, as Binance's spot API writes it. */
import { decimal, type Decimal } from '../money';
import { wholeNumber } from '../whole-number';
import type { Books } from './books';
import type { Fees } from './engine';
import type { Market } from './market';
import { orderTypes } from './order-parameters';
import type { Fill, Order } from './orders';
import { fixed, ZERO } from './steps';

export function symbolAsJson({ id, data }: Market) {
  const { tick, step, min_quantity, max_quantity, min_notional } = data.rules;
  return {
    symbol: id,
    status: 'TRADING',
    baseAsset: data.base,
    baseAssetPrecision: 8,
    quoteAsset: data.quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    baseCommissionPrecision: 8,
    quoteCommissionPrecision: 8,
    orderTypes,
    icebergAllowed: false,
    ocoAllowed: false,
    otoAllowed: false,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: false,
    cancelReplaceAllowed: false,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tick, maxPrice: '100000000.00000000', tickSize: tick },
      { filterType: 'LOT_SIZE', minQty: min_quantity, maxQty: max_quantity, stepSize: step },
      {
        filterType: 'NOTIONAL',
        minNotional: min_notional,
        applyMinToMarket: true,
        maxNotional: '9000000000.00000000',
        applyMaxToMarket: false,
        avgPriceMins: 0,
      },
    ],
    permissions: ['SPOT'],
    permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: 'NONE',
    allowedSelfTradePreventionModes: ['NONE'],
  };
}

export function orderAsJson(order: Order, symbol: string) {
  return {
    ...head(order, symbol),
    ...amounts(order),
    icebergQty: fixed(ZERO),
    time: order.accepted.accepted_ms,
    updateTime: order.updated_ms,
    isWorking: order.working,
    ...workingTime(order),
    selfTradePreventionMode: 'NONE',
  };
}

/** The three kinds of answer to a new order, each with more than the one before. */
export function placedAsJson(order: Order, symbol: string, detail: { kind: string; fills: readonly Fill[] }) {
  const acknowledged = { ...head(order, symbol), transactTime: order.accepted.accepted_ms };
  if (detail.kind === 'ACK') return acknowledged;
  const result = { ...acknowledged, ...amounts(order), ...workingTime(order), selfTradePreventionMode: 'NONE' };
  return detail.kind === 'RESULT' ? result : { ...result, fills: detail.fills.map(fillAsJson) };
}

/** `clientOrderId` is the cancel's own; the order's is `origClientOrderId`. */
export function cancelledAsJson(order: Order, symbol: string, cancelId: string) {
  return {
    ...head(order, symbol),
    origClientOrderId: order.accepted.client_order_id,
    clientOrderId: cancelId,
    transactTime: order.updated_ms,
    ...amounts(order),
    selfTradePreventionMode: 'NONE',
  };
}

export function tradeAsJson(fill: Fill, { accepted }: Order, symbol: string) {
  return {
    symbol,
    id: fill.trade_id,
    orderId: fill.order_id,
    orderListId: -1,
    price: fixed(decimal(fill.price)),
    qty: fixed(decimal(fill.quantity)),
    quoteQty: fixed(decimal(fill.price).times(decimal(fill.quantity))),
    commission: fixed(decimal(fill.commission)),
    commissionAsset: fill.commission_asset,
    time: fill.at_ms,
    isBuyer: accepted.side === 'BUY',
    isMaker: fill.maker,
    isBestMatch: true,
  };
}

export function accountAsJson(books: Books, account: string, { fees, now_ms }: { fees: Fees; now_ms: number }) {
  const points = (rate: string) => wholeNumber(decimal(rate).times('10000').toFixed(0));
  return {
    makerCommission: points(fees.maker),
    takerCommission: points(fees.taker),
    buyerCommission: 0,
    sellerCommission: 0,
    commissionRates: { maker: fees.maker, taker: fees.taker, buyer: '0.00000000', seller: '0.00000000' },
    canTrade: true,
    canWithdraw: false,
    canDeposit: false,
    brokered: false,
    requireSelfTradePrevention: false,
    preventSor: false,
    updateTime: now_ms,
    accountType: 'SPOT',
    balances: books.assetsOf(account).map(([asset, { free, locked }]) => ({
      asset,
      free: fixed(free),
      locked: fixed(locked),
    })),
    permissions: ['SPOT'],
    uid: books.accounts.indexOf(account) + 1,
  };
}

function head({ accepted }: Order, symbol: string) {
  return {
    symbol,
    orderId: accepted.order_id,
    orderListId: -1,
    clientOrderId: accepted.client_order_id,
  };
}

/** What was asked for, and what of it was done. */
export function amounts({ accepted, quantity, price, stop_price, executed, executed_quote, status }: Order) {
  return {
    price: fixed(price ?? ZERO),
    origQty: fixed(quantity),
    executedQty: fixed(executed),
    origQuoteOrderQty: fixed(optional(accepted.quote_quantity)),
    cummulativeQuoteQty: fixed(executed_quote),
    status,
    timeInForce: accepted.time_in_force === 'IOC' && price === undefined ? 'GTC' : accepted.time_in_force,
    type: accepted.type,
    side: accepted.side,
    ...(stop_price === undefined ? {} : { stopPrice: fixed(stop_price) }),
  };
}

function workingTime({ working, working_ms }: Order) {
  return working ? { workingTime: working_ms } : {};
}

function fillAsJson(fill: Fill) {
  return {
    price: fixed(decimal(fill.price)),
    qty: fixed(decimal(fill.quantity)),
    commission: fixed(decimal(fill.commission)),
    commissionAsset: fill.commission_asset,
    tradeId: fill.trade_id,
  };
}

function optional(text: string | undefined): Decimal {
  return text === undefined ? ZERO : decimal(text);
}
