/** Orders that only reduce: of what fills have proven, and no more than the account can give. */
import { decimal, formatDecimal, type Decimal } from '../../money';
import { quantizeQuantity } from '../../venues/size-checks';
import type { Balance, Market } from '../../venues/venue';
import type { Trade } from '../trade';
import { marketNow, takingWish, type OrderPlace, type PriceBounds } from './decide';
import type { OrderWish } from './order-legs';
import { collar } from './prices';

export interface Closing extends PriceBounds {
  /** At most so much; default all. */
  readonly quantity?: string | undefined;
}

/** Less than one step of the market is left of it. */
export class NothingToClose extends Error {
  /** What fills have proven, less what open orders reduce already. */
  readonly proven: string;
  /** What the account could give, in base currency. */
  readonly free: string;
  readonly step: string;

  constructor(symbol: string, { proven, free, step }: Pick<NothingToClose, 'proven' | 'free' | 'step'>) {
    super(`nothing can be closed of ${symbol}`);
    this.proven = proven;
    this.free = free;
    this.step = step;
  }
}

/** At the market, within the collar. Throws `NothingToClose`, and what a market order is refused for. */
export async function decideClosing(
  place: OrderPlace,
  { quantity, ...bounds }: Closing,
  trade: Trade,
): Promise<OrderWish> {
  const { venue, trading, symbol, side } = place;
  const percent = bounds.max_slippage_percent;
  const question = { venue: venue.profile, account: trading.account, symbol, side };
  const [now, proven, balances] = await Promise.all([
    marketNow(place, bounds.max_price_age),
    trade.reducible(question),
    trading.balances(),
  ]);
  const worst = collar(now.fresh.ticker.last, side, { percent, market: now.market });
  const free = freeFor(side, balances, { market: now.market, worst });
  const most = least([proven, free, ...(quantity === undefined ? [] : [quantity])]);
  const size = quantizeQuantity(formatDecimal(most), now.market);
  if (decimal(size).eq('0')) throw new NothingToClose(symbol, { proven, free, step: now.market.quantity_step });
  const wish = takingWish(place, { quantity: size }, { ...now, percent });
  return { ...wish, reduces_only: true };
}

/** What an open order holds is not free: a venue refuses whoever sells it twice. */
function freeFor(
  side: OrderPlace['side'],
  balances: readonly Balance[],
  { market, worst }: { readonly market: Market; readonly worst: string },
): string {
  const freeOf = (wanted: string) => balances.find(({ asset }) => asset === wanted)?.free ?? '0';
  if (side === 'sell') return freeOf(market.base);
  return formatDecimal(decimal(freeOf(market.quote)).div(decimal(worst)));
}

function least(amounts: readonly string[]): Decimal {
  return amounts.map(decimal).reduce((a, b) => (b.lt(a) ? b : a));
}
