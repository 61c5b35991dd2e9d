/** What became of an order, with what its fills cost. */
import { HoldfastError } from '../errors';
import type { BinanceConnection } from './binance-connection';
import { feesOfAnswer, feesOfOrder, type FeeSources } from './binance-fees';
import { marketNameOf, readOrder, type MarketName } from './binance-order';
import { NO_SUCH_ORDER } from './binance-verdict';
import type { OrderRef, Venue, VenueOrder } from './venue';

/** `urgent`: without waiting for a turn behind what else is read. */
export type Lane = 'in turn' | 'urgent';
type Params = Readonly<Record<string, string>>;

export class BinanceLookup {
  readonly #connection: BinanceConnection;
  readonly #prices: Pick<Venue, 'ticker'>;

  constructor(connection: BinanceConnection, prices: Pick<Venue, 'ticker'>) {
    this.#connection = connection;
    this.#prices = prices;
  }

  /** Undefined when the venue has none of this client order id. */
  async find(ref: OrderRef, lane: Lane): Promise<VenueOrder | undefined> {
    const order = await this.findWithoutFees(ref, lane);
    if (order === undefined || order.filled_quantity === '0') return order;
    return { ...order, fees: await this.feesOf(order, lane) };
  }

  async findWithoutFees({ client_order_id, symbol }: OrderRef, lane: Lane): Promise<VenueOrder | undefined> {
    const name = marketNameOf(symbol);
    let raw: unknown;
    try {
      raw = await this.#read('order', { symbol: name.id, origClientOrderId: client_order_id }, lane);
    } catch (error) {
      if (error instanceof HoldfastError && error.details['venue_code'] === NO_SUCH_ORDER) return undefined;
      throw error;
    }
    const order = readOrder(raw, name);
    if (order?.client_order_id === client_order_id) return order;
    const { name: venue } = this.#connection.profile;
    throw new HoldfastError('ServiceError', `${venue} shows an order that cannot be read, or another one.`, { venue });
  }

  async feesOf(order: VenueOrder, lane: Lane): Promise<string> {
    return feesOfOrder(order, marketNameOf(order.symbol), this.#sources(lane));
  }

  /** Of an answer that shows its fills; of others they are asked for. */
  async feesOfAnswer(raw: unknown, order: VenueOrder, name: MarketName): Promise<string> {
    const shown = await feesOfAnswer(raw, order, { name, sources: this.#sources('urgent') });
    return shown ?? this.feesOf(order, 'urgent');
  }

  #sources(lane: Lane): FeeSources {
    return {
      profile: this.#connection.profile.name,
      trades: (params) => this.#read('myTrades', params, lane),
      price: async (asset, quote) => (await this.#prices.ticker(`${asset}/${quote}`)).last,
    };
  }

  #read(name: 'order' | 'myTrades', params: Params, lane: Lane): Promise<unknown> {
    return lane === 'urgent' ? this.#connection.readUrgently(name, params) : this.#connection.read(name, params);
  }
}
