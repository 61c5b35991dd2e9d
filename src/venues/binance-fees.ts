/** What an order's fills cost. An order of this dialect does not say; its trades do. */
import { HoldfastError, messageOf } from '../errors';
import { isObject } from '../json';
import { decimal, formatDecimal } from '../money';
import { feesOf, quantityOf, readFills, type MarketName, type VenueFill } from './binance-order';
import type { VenueOrder } from './venue';

export type FilledOrder = Pick<VenueOrder, 'client_order_id' | 'venue_order_id' | 'filled_quantity'>;

export interface FeeSources {
  readonly profile: string;
  /** `myTrades`: as many as fit on one page, oldest first. */
  readonly trades: (params: Readonly<Record<string, string>>) => Promise<unknown>;
  /** The last price of a currency in another. */
  readonly price: (asset: string, quote: string) => Promise<string>;
}

const PAGE = 1_000;
const MOST_PAGES = 20;

/**
 * In quote currency. Throws `ServiceError`, which is retryable, when the venue does not show all the trades yet or a commission cannot be
 * valued: fees that are too low would be worse than fees that come later.
 */
export async function feesOfOrder(order: FilledOrder, name: MarketName, sources: FeeSources): Promise<string> {
  return valueOfFills(await tradesOf(order, name, sources), order, { name, sources });
}

/** Undefined where the fills do not add up to what was filled. */
export async function feesOfAnswer(
  raw: unknown,
  order: FilledOrder,
  about: { readonly name: MarketName; readonly sources: FeeSources },
): Promise<string | undefined> {
  const fills = isObject(raw) ? readFills(raw['fills']) : undefined;
  return fills === undefined || !addsUp(fills, order) ? undefined : valueOfFills(fills, order, about);
}

async function valueOfFills(
  fills: readonly VenueFill[],
  order: FilledOrder,
  { name, sources }: { readonly name: MarketName; readonly sources: FeeSources },
): Promise<string> {
  if (!addsUp(fills, order)) {
    const shown = quantityOf(fills);
    const message = `${sources.profile} shows trades of ${shown}, and says that ${order.filled_quantity} were filled.`;
    throw new HoldfastError('ServiceError', message, { client_order_id: order.client_order_id });
  }
  // Asked for once each, however many fills there are: an order may have a thousand.
  const worths = new Map<string, Promise<Worth>>();
  return feesOf(fills, name, async (asset, { price }) => {
    const worth = worths.get(asset) ?? worthOf(asset, name, sources);
    worths.set(asset, worth);
    return (await worth)(price);
  });
}

function addsUp(fills: readonly VenueFill[], { filled_quantity }: FilledOrder): boolean {
  return decimal(quantityOf(fills)).eq(decimal(filled_quantity));
}

/** In quote currency, of one unit, by the price of the fill it was taken of. */
type Worth = (price: string) => string;

/** Where it has no market in the quote currency it is worth what it is in the base currency, at the price of the fill. */
async function worthOf(asset: string, { base, quote }: MarketName, { profile, price }: FeeSources): Promise<Worth> {
  try {
    const inQuote = await price(asset, quote);
    return () => inQuote;
  } catch (error) {
    const inBase = await price(asset, base).catch(() => undefined);
    if (inBase !== undefined) return (filledAt) => formatDecimal(decimal(inBase).times(decimal(filledAt)));
    throw new HoldfastError('ServiceError', `${profile} took fees in ${asset}: ${messageOf(error)}`);
  }
}

async function tradesOf(
  order: FilledOrder,
  { id }: MarketName,
  { trades, profile }: FeeSources,
): Promise<readonly VenueFill[]> {
  const found = new Map<number, unknown>();
  for (let page = 0, from = 0; page < MOST_PAGES; page += 1) {
    const after = page === 0 ? {} : { fromId: String(from) };
    const raw = await trades({ symbol: id, orderId: order.venue_order_id, limit: String(PAGE), ...after });
    const shown = tradesById(raw, order);
    if (shown === undefined) throw new HoldfastError('ServiceError', `${profile} shows trades that cannot be read.`);
    for (const [tradeId, trade] of shown) found.set(tradeId, trade);
    if (shown.size < PAGE) break;
    from = Math.max(...shown.keys()) + 1;
  }
  return readFills([...found.values()]) ?? [];
}

/** Once each, and of this order alone, whatever a page holds. */
function tradesById(raw: unknown, { venue_order_id }: FilledOrder): ReadonlyMap<number, unknown> | undefined {
  if (!Array.isArray(raw)) return undefined;
  const own = raw.filter(isObject).filter(({ orderId }) => String(orderId) === venue_order_id);
  if (readFills(own) === undefined || !own.every(({ id }) => Number.isSafeInteger(id))) return undefined;
  return new Map(own.map((trade) => [trade['id'] as number, trade]));
}
