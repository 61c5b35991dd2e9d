/** Reads an order as the dialect writes it. */
import { decimal, isDecimal, type Decimal } from '../money';
import { wholeNumber } from '../whole-number';
import type { OrderDraft, OrderType, Side, TimeInForce } from './orders';
import { refusals } from './refusal';

const CLIENT_ORDER_ID = /^[.A-Za-z0-9:/_-]{1,36}$/;
const PLACES = 8;

/** What each type needs and may have besides; whatever else there is, is refused. */
const shapes: Readonly<Record<OrderType, { readonly needs: readonly string[]; readonly may?: readonly string[] }>> = {
  MARKET: { needs: [], may: ['quantity', 'quoteOrderQty'] },
  LIMIT: { needs: ['timeInForce', 'quantity', 'price'] },
  LIMIT_MAKER: { needs: ['quantity', 'price'] },
  STOP_LOSS: { needs: ['quantity', 'stopPrice'] },
  STOP_LOSS_LIMIT: { needs: ['timeInForce', 'quantity', 'price', 'stopPrice'] },
};
const SHAPED = ['timeInForce', 'quantity', 'quoteOrderQty', 'price', 'stopPrice'];

/** Throws a `Refusal`. */
export function readOrder(parameters: URLSearchParams, account: string, fallbackId: string): OrderDraft {
  const side = readSide(parameters);
  const type = readType(parameters);
  assertShape(parameters, type);
  const time_in_force = readTimeInForce(parameters, type);
  const client_order_id = readClientId(parameters, 'newClientOrderId') ?? fallbackId;
  const amounts = {
    quantity: readDecimal(parameters, 'quantity'),
    quote_quantity: readDecimal(parameters, 'quoteOrderQty'),
    price: readDecimal(parameters, 'price'),
    stop_price: readDecimal(parameters, 'stopPrice'),
  };
  const given = Object.entries(amounts).filter(([, amount]) => amount !== undefined);
  return { account, client_order_id, side, type, time_in_force, ...Object.fromEntries(given) };
}

function readSide(parameters: URLSearchParams): Side {
  const side = mandatory(parameters, 'side');
  if (side === 'BUY' || side === 'SELL') return side;
  throw refusals.badSide();
}

function readType(parameters: URLSearchParams): OrderType {
  const type = mandatory(parameters, 'type');
  if (isType(type)) return type;
  throw refusals.badType();
}

function isType(type: string): type is OrderType {
  return Object.hasOwn(shapes, type);
}

export const orderTypes: readonly string[] = Object.keys(shapes);

function assertShape(parameters: URLSearchParams, type: OrderType): void {
  const { needs, may = [] } = shapes[type];
  for (const name of needs) mandatory(parameters, name);
  const given = SHAPED.filter((name) => parameters.has(name));
  const other = given.find((name) => !needs.includes(name) && !may.includes(name));
  if (other !== undefined) throw refusals.notRequired(other);
  if (type !== 'MARKET') return;
  if (given.length === 0) throw refusals.missing('quantity');
  if (given.length > 1) throw refusals.notRequired('quoteOrderQty');
}

function readTimeInForce(parameters: URLSearchParams, type: OrderType): TimeInForce {
  const given = parameters.get('timeInForce') ?? (type === 'STOP_LOSS' || type === 'MARKET' ? 'IOC' : 'GTC');
  if (given === 'GTC' || given === 'IOC' || given === 'FOK') return given;
  throw refusals.badTimeInForce();
}

/** Throws a `Refusal` when it is no such id. */
export function readClientId(parameters: URLSearchParams, name: string): string | undefined {
  const id = parameters.get(name);
  if (id === null) return undefined;
  if (!CLIENT_ORDER_ID.test(id)) throw refusals.illegal(name);
  return id;
}

export function mandatory(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null || value === '') throw refusals.missing(name);
  return value;
}

function readDecimal(parameters: URLSearchParams, name: string): Decimal | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  if (!isDecimal(text)) throw refusals.illegal(name);
  if ((text.split('.')[1] ?? '').length > PLACES) throw refusals.tooPrecise(name);
  return decimal(text);
}

/** A whole number, or the usual one where it is not given. */
export function readCount(parameters: URLSearchParams, name: string, usual: number): number {
  const text = parameters.get(name);
  if (text === null) return usual;
  if (!/^\d{1,15}$/.test(text)) throw refusals.illegal(name);
  return wholeNumber(text);
}
