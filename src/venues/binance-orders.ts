/**
 * Orders and cancels at Binance spot, or at whoever speaks its dialect.
 *
 * - A1. An order is one request of the `OrderSender`, made when nothing else has to be waited for. Its time and its `recvWindow` are the
 *       permit's end on the venue's clock, so the venue refuses what arrives later.
 * - A2. Only an answer that certainly means yes or no ends as placed or rejected; everything else is unknown, and nothing is sent again.
 * - A3. A venue that asks for fewer orders gets none for as long as it says: its next answer would be a ban, of cancels too.
 * - A4. Cancels, and the lookups they need, wait behind nothing that is read.
 */
import { HoldfastError } from '../errors';
import type { BinanceConnection } from './binance-connection';
import type { BinanceLookup } from './binance-lookup';
import { marketNameOf, orderParams, readOrder, type MarketName } from './binance-order';
import { CANCEL_REFUSED, NO_SUCH_ORDER, type VenueAnswer } from './binance-verdict';
import { transportError } from './http-reads';
import { OncePermit } from './once-permit';
import { OrderSender, type OrderHttpRequest, type UsablePermit, type VenueExpiry } from './order-sender';
import { Silence } from './silence';
import { orderProblem } from './size-checks';
import type { Cancellation, Market, OrderRef, Submission, VenueOrderDraft } from './venue';

const ANSWER_WITHIN_MS = 5_000;
/** For a connection to be free. */
const CANCEL_WITHIN_MS = 3_000;
/** The most the dialect allows: a cancel does no harm when it comes late. */
const CANCEL_WINDOW_MS = 60_000;
const CONNECTIONS = { orders: 8, cancels: 4 };

export class BinanceOrders {
  readonly #connection: BinanceConnection;
  readonly #lookup: BinanceLookup;
  readonly #market: (symbol: string) => Promise<Market>;
  readonly #orders: OrderSender;
  readonly #cancels: OrderSender;
  /** Of orders. Cancels go out all the same: they may be the last that can. */
  readonly #silence = new Silence(0);

  constructor(connection: BinanceConnection, lookup: BinanceLookup, market: (symbol: string) => Promise<Market>) {
    this.#connection = connection;
    this.#lookup = lookup;
    this.#market = market;
    const answer_within_ms = ANSWER_WITHIN_MS;
    this.#orders = new OrderSender(connection.origin, { connections: CONNECTIONS.orders, answer_within_ms });
    this.#cancels = new OrderSender(connection.origin, { connections: CONNECTIONS.cancels, answer_within_ms });
  }

  /** Never throws. */
  async submit(draft: VenueOrderDraft, permit: UsablePermit): Promise<Submission> {
    try {
      const name = marketNameOf(draft.symbol);
      await this.#assertSendable(draft);
      const delivery = await this.#orders.send(permit, (expiry) => this.#orderRequest(draft, name, expiry));
      if (delivery.kind === 'answered') {
        this.#silence.heed(delivery.status, delivery.retry_after);
        return await this.#submissionOf(delivery, draft, name);
      }
      return { kind: delivery.kind, error: this.#carried(delivery.error) };
    } catch (error) {
      if (permit.isUsed) return { kind: 'unknown', error };
      permit.settle('unused');
      return { kind: 'unsent', error };
    }
  }

  /** Throws errors of the catalogue; those of whether it was cancelled are retryable. */
  async cancel(ref: OrderRef): Promise<Cancellation> {
    const name = marketNameOf(ref.symbol);
    const { clock } = this.#connection;
    // Without it the time of this machine counts, which is mostly right.
    if (clock.offsetMs() === undefined) await clock.refresh().catch(() => undefined);
    const delivery = await this.#cancels.send(new OncePermit(CANCEL_WITHIN_MS), () => this.#cancelRequest(ref, name));
    if (delivery.kind !== 'answered') throw this.#carried(delivery.error);
    const verdict = this.#connection.judge(delivery, 'read');
    if (verdict.kind === 'yes') return this.#cancellationOf(verdict.value, ref, name);
    const { venue_code } = verdict;
    if (venue_code === CANCEL_REFUSED || venue_code === NO_SUCH_ORDER)
      return this.#whyNotCancelled(ref, verdict.message);
    throw this.#connection.errorOf(verdict);
  }

  async close(): Promise<void> {
    await Promise.all([this.#orders.close(), this.#cancels.close()]);
  }

  async #assertSendable(draft: VenueOrderDraft): Promise<void> {
    if (this.#silence.isWanted) throw this.#error('RateLimited', 'asked for fewer orders');
    const problem = orderProblem(draft, await this.#market(draft.symbol));
    if (problem !== undefined) throw new HoldfastError(problem.code, problem.message);
    this.#connection.clock.keepFresh();
    await this.#connection.clock.assertSure();
  }

  #orderRequest(draft: VenueOrderDraft, name: MarketName, { timestamp, expires_in_ms }: VenueExpiry): OrderHttpRequest {
    const { api, clock } = this.#connection;
    const offset = clock.offsetMs();
    if (offset === undefined) throw this.#error('ClockUncertain', 'lost count of the venue’s clock');
    const atVenue = Math.floor(timestamp + offset);
    const until = { timestamp: String(atVenue), recvWindow: String(expires_in_ms) };
    return api.order('POST', { ...orderParams(draft, name), ...until });
  }

  #cancelRequest({ client_order_id }: OrderRef, { id }: MarketName): OrderHttpRequest {
    const { api, clock } = this.#connection;
    const until = { timestamp: String(clock.now()), recvWindow: String(CANCEL_WINDOW_MS) };
    return api.order('DELETE', { symbol: id, origClientOrderId: client_order_id, ...until });
  }

  async #submissionOf(answer: VenueAnswer, draft: VenueOrderDraft, name: MarketName): Promise<Submission> {
    const verdict = this.#connection.judge(answer, 'order');
    const { name: venue } = this.#connection.profile;
    if (verdict.kind === 'no') return { kind: 'rejected', code: verdict.code, message: `${venue}: ${verdict.message}` };
    if (verdict.kind === 'unclear') return { kind: 'unknown', error: this.#connection.errorOf(verdict) };
    const order = readOrder(verdict.value, name);
    if (order?.client_order_id !== draft.client_order_id) {
      return {
        kind: 'unknown',
        error: this.#error('ServiceError', 'answers an order with what cannot be read, or with another'),
      };
    }
    if (order.status === 'rejected')
      return { kind: 'rejected', code: 'OrderRejected', message: `${venue} rejected it.` };
    if (order.filled_quantity === '0') return { kind: 'placed', order };
    return { kind: 'placed', order: { ...order, fees: await this.#lookup.feesOfAnswer(verdict.value, order, name) } };
  }

  async #cancellationOf(raw: unknown, ref: OrderRef, name: MarketName): Promise<Cancellation> {
    const order = readOrder(raw, name);
    if (order?.client_order_id !== ref.client_order_id || order.status === 'open') {
      throw this.#error('ServiceError', 'answers a cancel with what cannot be read, or with another order');
    }
    if (order.filled_quantity === '0') return { kind: 'cancelled', order };
    return { kind: 'cancelled', order: { ...order, fees: await this.#lookup.feesOf(order, 'urgent') } };
  }

  /** The same code means that there is no such order, that it has ended, and that it may not be cancelled now. */
  async #whyNotCancelled(ref: OrderRef, message: string): Promise<Cancellation> {
    const order = await this.#lookup.findWithoutFees(ref, 'urgent');
    if (order === undefined) return { kind: 'not_found' };
    if (order.status !== 'open') return { kind: 'ended' };
    throw this.#error('ServiceError', `has the order still open, and refused to cancel it: ${message}`);
  }

  /** A refusal of the permit is passed on as it is; what a connection says becomes an entry of the catalogue. */
  #carried(error: unknown): unknown {
    if (error instanceof HoldfastError) return error;
    return transportError(error, this.#connection.profile.name, ANSWER_WITHIN_MS);
  }

  #error(code: 'ServiceError' | 'ClockUncertain' | 'RateLimited', what: string): HoldfastError {
    const { name: venue } = this.#connection.profile;
    return new HoldfastError(code, `${venue} ${what}.`, { venue });
  }
}
