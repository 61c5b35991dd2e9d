/** Orders, fills and balances of one account. */
import { randomUUID } from 'node:crypto';
import { accountAsJson, cancelledAsJson, orderAsJson, placedAsJson, tradeAsJson } from './dialect';
import { mandatory, readClientId, readCount, readOrder } from './order-parameters';
import { isOpen, type Order } from './orders';
import type { Profile } from './profile';
import { Refusal, refusals } from './refusal';
import type { Asked } from './request';

const MOST_ROWS = 1_000;
const USUAL_ROWS = 500;

export class OrderEndpoints {
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  readonly place = ({ parameters, account }: Asked) => {
    const { engine, books, faults } = this.#profile;
    this.#assertSymbol(parameters);
    const draft = readOrder(parameters, account, ownId());
    const kind = responseKind(parameters, draft.type);
    const hidden = faults.strike('hidden_for_ms', 'submit');
    const order = engine.place({ ...draft, ...(hidden && { hidden_for_ms: hidden.ms }) }, this.#profile.now());
    return placedAsJson(order, this.#id, { kind, fills: books.fillsOf(order.accepted.order_id) });
  };

  readonly cancel = ({ parameters, account }: Asked) => {
    this.#profile.advance();
    const order = this.#find(parameters, account);
    const cancelId = readClientId(parameters, 'newClientOrderId') ?? ownId();
    if (order === undefined || !isOpen(order)) throw refusals.unknownOrder();
    this.#assertCancellable();
    return this.#cancel(order, cancelId);
  };

  readonly cancelAll = ({ parameters, account }: Asked) => {
    this.#assertSymbol(parameters);
    this.#profile.advance();
    const open = this.#profile.books.open.filter(({ accepted }) => accepted.account === account);
    if (open.length === 0) throw refusals.unknownOrder();
    this.#assertCancellable();
    return open.map((order) => this.#cancel(order, ownId()));
  };

  readonly query = ({ parameters, account }: Asked) => {
    this.#profile.advance();
    const order = this.#find(parameters, account);
    if (order === undefined || !this.#isVisible(order)) throw refusals.noSuchOrder();
    return orderAsJson(order, this.#id);
  };

  readonly open = ({ parameters, account }: Asked) => {
    if (parameters.has('symbol')) this.#assertSymbol(parameters);
    this.#profile.advance();
    return this.#visible(account, this.#profile.books.open).map((order) => orderAsJson(order, this.#id));
  };

  readonly all = ({ parameters, account }: Asked) => {
    this.#assertSymbol(parameters);
    const from = readCount(parameters, 'orderId', 0);
    this.#profile.advance();
    const rows = this.#visible(account, this.#profile.books.orders).filter(
      ({ accepted }) => accepted.order_id >= from && isWithin(parameters, accepted.accepted_ms),
    );
    return page(rows, parameters, from > 0).map((order) => orderAsJson(order, this.#id));
  };

  readonly trades = ({ parameters, account }: Asked) => {
    this.#assertSymbol(parameters);
    const { books } = this.#profile;
    this.#profile.advance();
    const one = parameters.has('orderId') ? books.order(readCount(parameters, 'orderId', 0)) : undefined;
    const orders = parameters.has('orderId') ? [one].filter((order) => order !== undefined) : books.orders;
    const from = readCount(parameters, 'fromId', 0);
    const rows = orders
      .filter(({ accepted }) => accepted.account === account)
      .flatMap((order) => books.fillsOf(order.accepted.order_id).map((fill) => ({ fill, order })))
      .filter(({ fill }) => fill.trade_id >= from && isWithin(parameters, fill.at_ms))
      .sort((a, b) => a.fill.trade_id - b.fill.trade_id);
    return page(rows, parameters, from > 0).map(({ fill, order }) => tradeAsJson(fill, order, this.#id));
  };

  readonly account = ({ account }: Asked) => {
    const { books, engine } = this.#profile;
    this.#profile.advance();
    return accountAsJson(books, account, { fees: engine.fees, now_ms: this.#profile.now().wall_ms });
  };

  get #id(): string {
    return this.#profile.market.id;
  }

  #cancel(order: Order, cancelId: string) {
    const late = this.#profile.faults.strike('late_fill', 'cancel');
    const options = { cancel_id: cancelId, late_ms: late?.ms };
    const cancelled = this.#profile.engine.cancel(order, this.#profile.now(), options);
    return cancelledAsJson(cancelled, this.#id, cancelId);
  }

  #assertCancellable(): void {
    if (this.#profile.faults.strike('refuse_cancel', 'cancel')) throw refusals.cancelRefused();
  }

  #assertSymbol(parameters: URLSearchParams): void {
    if (mandatory(parameters, 'symbol') !== this.#id) throw refusals.badSymbol();
  }

  #find(parameters: URLSearchParams, account: string): Order | undefined {
    this.#assertSymbol(parameters);
    const clientId = readClientId(parameters, 'origClientOrderId');
    if (!parameters.has('orderId') && clientId === undefined) {
      const message = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!";
      throw new Refusal(-1102, message);
    }
    const { books } = this.#profile;
    const order = parameters.has('orderId')
      ? books.order(readCount(parameters, 'orderId', 0))
      : books.byClientId(account, clientId ?? '');
    return order?.accepted.account === account ? order : undefined;
  }

  #visible(account: string, orders: readonly Order[]): readonly Order[] {
    return orders.filter((order) => order.accepted.account === account && this.#isVisible(order));
  }

  #isVisible({ accepted }: Order): boolean {
    return (accepted.hidden_until_ms ?? 0) <= this.#profile.now().wall_ms;
  }
}

function responseKind(parameters: URLSearchParams, type: string): string {
  const kind = parameters.get('newOrderRespType') ?? (type === 'MARKET' || type === 'LIMIT' ? 'FULL' : 'ACK');
  if (['ACK', 'RESULT', 'FULL'].includes(kind)) return kind;
  throw refusals.illegal('newOrderRespType');
}

/** The oldest ones where a place to begin is named, else the newest; oldest first either way. */
function page<T>(rows: readonly T[], parameters: URLSearchParams, isFrom: boolean): readonly T[] {
  const limit = Math.min(MOST_ROWS, readCount(parameters, 'limit', USUAL_ROWS));
  if (limit === 0) return [];
  return isFrom || parameters.has('startTime') ? rows.slice(0, limit) : rows.slice(-limit);
}

function isWithin(parameters: URLSearchParams, at_ms: number): boolean {
  return at_ms >= readCount(parameters, 'startTime', 0) && at_ms <= readCount(parameters, 'endTime', Infinity);
}

/** What the venue calls an order whose sender gave it no name. */
function ownId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 22);
}
