/** A trading venue in memory whose answers a test decides; its books say what it took. */
import type { UsablePermit } from '../../src/venues/order-sender';
import type {
  Balance,
  Cancellation,
  OrderBook,
  OrderRef,
  Submission,
  TradingVenue,
  VenueOrder,
  VenueOrderDraft,
} from '../../src/venues/venue';

export type Fate = 'fills' | 'rests' | 'rejected' | 'lost before' | 'lost after' | 'cut before';

export class ScriptedVenue implements TradingVenue {
  readonly account = 'main';
  fence_ms?: number = 0;
  readonly query_lag_ms = 0;
  /** Of submits to come, in their order; then they fill. */
  readonly fates: Fate[] = [];
  /** Every order it accepted, a repeated one again. */
  readonly accepted: VenueOrder[] = [];
  readonly submits: string[] = [];
  /** Orders are not shown while it is above zero; each look takes one off. */
  hidden = 0;
  isSilent = false;
  /** So many cancels to come are refused. */
  refusals = 0;
  /** Ids of orders somebody tried to cancel, in their order. */
  readonly cancels: string[] = [];
  /** Done right after an order was cancelled. */
  onCancelled: (client_order_id: string) => void = () => undefined;

  countsAs(quote: string): string {
    return quote;
  }

  market(symbol: string) {
    const limits = { price_tick: '0.01', quantity_step: '0.0001', min_quantity: '0.0001', min_notional: '5' };
    return Promise.resolve({ symbol, base: 'BTC', quote: 'USDT', ...limits });
  }

  orderBook(symbol: string): Promise<OrderBook> {
    return Promise.resolve({ symbol, bids: [], asks: [], time_ms: Date.now() });
  }

  balances(): Promise<readonly Balance[]> {
    return Promise.resolve([]);
  }

  openOrders() {
    return Promise.resolve(this.accepted.filter(({ status }) => status === 'open'));
  }

  find({ client_order_id }: OrderRef): Promise<VenueOrder | undefined> {
    if (this.isSilent) return Promise.reject(new Error('no answer'));
    if (this.hidden > 0) {
      this.hidden -= 1;
      return Promise.resolve(undefined);
    }
    return Promise.resolve(this.order(client_order_id));
  }

  order(client_order_id: string): VenueOrder | undefined {
    return this.accepted.find((each) => each.client_order_id === client_order_id);
  }

  submit(draft: VenueOrderDraft, permit: UsablePermit): Promise<Submission> {
    const fate = this.fates.shift() ?? 'fills';
    if (fate === 'cut before') {
      permit.settle('unused');
      return Promise.resolve({ kind: 'unsent', error: new Error('no connection') });
    }
    try {
      permit.assertUsable();
    } catch (error) {
      return Promise.resolve({ kind: 'unsent', error });
    }
    this.submits.push(draft.client_order_id);
    if (fate === 'rejected') return Promise.resolve({ kind: 'rejected', code: 'OrderRejected', message: 'too small' });
    if (fate === 'lost before') return Promise.resolve({ kind: 'unknown', error: new Error('cut') });
    const order = orderOf(draft, fate === 'rests' ? 'open' : 'filled');
    this.accepted.push(order);
    return Promise.resolve(
      fate === 'lost after' ? { kind: 'unknown', error: new Error('cut') } : { kind: 'placed', order },
    );
  }

  cancel({ client_order_id }: OrderRef): Promise<Cancellation> {
    this.cancels.push(client_order_id);
    if (this.refusals > 0) {
      this.refusals -= 1;
      return Promise.reject(new Error('not now'));
    }
    const order = this.order(client_order_id);
    if (order === undefined) return Promise.resolve({ kind: 'not_found' });
    if (order.status !== 'open') return Promise.resolve({ kind: 'ended' });
    const cancelled = this.change(client_order_id, { status: 'cancelled' });
    this.onCancelled(client_order_id);
    return Promise.resolve({ kind: 'cancelled', order: cancelled });
  }

  /** An order rests, whoever placed it. */
  rests(over: Partial<VenueOrder> & Pick<VenueOrder, 'client_order_id'>): void {
    const draft = { symbol: 'BTC/USDT', side: 'buy', type: 'limit', quantity: '1', ...over } as const;
    this.accepted.push({ ...orderOf(draft, 'open'), ...over });
  }

  change(client_order_id: string, over: Partial<VenueOrder>): VenueOrder {
    const at = this.accepted.findIndex((each) => each.client_order_id === client_order_id);
    const order = { ...this.accepted[at]!, ...over };
    this.accepted[at] = order;
    return order;
  }
}

function orderOf(draft: VenueOrderDraft, status: 'open' | 'filled'): VenueOrder {
  const price = draft.price ?? '100';
  const filled_quantity = status === 'filled' ? draft.quantity : '0';
  const { client_order_id, symbol, side, type, quantity } = draft;
  return {
    ...{ client_order_id, venue_order_id: `v-${client_order_id}`, symbol, side, type, quantity, status, price },
    ...{ filled_quantity, filled_notional: status === 'filled' ? '100' : '0', fees: '0' },
    ...{ created_ms: Date.now(), updated_ms: Date.now() },
  };
}
