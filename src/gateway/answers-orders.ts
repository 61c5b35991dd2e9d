/** What REST answers about orders, positions and what they came to, as schemas. Amounts are decimal texts. */
import { z } from 'zod';
import type { FillRow, OrderRow } from '../journal/order-rows';
import type { FillMoment, HaltMoment } from '../journal/results';
import { nextPage } from './answers';
import { amount, epochMs, metrics } from './answers-desk';

const text = z.string();
const instant = z.iso.datetime();

const orderFields = {
  desk_id: text,
  order_id: text,
  permit_id: text.nullable(),
  client_order_id: text.nullable(),
  account: text,
  venue: text,
  symbol: text,
  side: text,
  currency: text,
  bot_id: text.nullable(),
  strategy_id: text.nullable(),
  execution_id: text.nullable(),
  workflow_id: text.nullable(),
  mode: text.nullable(),
  quantity: amount.nullable(),
  price: amount.nullable(),
  reduces: z.boolean().nullable(),
  status: text,
  filled_quantity: amount,
  filled_notional: amount,
  fees: amount,
  realized: amount.nullable(),
  filled_at: instant.nullable(),
  intended_at: instant,
  updated_at: instant,
};
const order = z.object(orderFields).meta({ id: 'Order' }) satisfies z.ZodType<OrderRow>;
export const orders = z.object({ desk_id: text, orders: z.array(order), next_page: nextPage });
const fill = z.object({
  quantity: amount,
  notional: amount,
  fees: amount,
  realized: amount.nullable(),
  filled_quantity: amount,
  at: instant,
}) satisfies z.ZodType<FillRow>;
export const orderAnswer = z.object({ ...orderFields, fills: z.array(fill) });

/** A restricted token is told its parts alone. */
const position = z.object({
  account: text,
  venue: text,
  symbol: text,
  quantity: amount.exactOptional(),
  cost: amount.exactOptional(),
  price: amount,
  price_at: epochMs,
  notional: amount.exactOptional(),
  unrealized: amount.exactOptional(),
  parts: z.array(z.object({ scope: text, quantity: amount, notional: amount, unrealized: amount })),
});
export const positions = z.object({ desk_id: text, currency: text, at: epochMs, positions: z.array(position) });

const equityPoint = z.object({
  scope: text,
  at: instant,
  realized: amount,
  fees: amount,
  unrealized: amount,
  exposure: amount,
  equity: amount.nullable(),
  high_water: amount.nullable(),
});
const fillMoment = z.object({
  at: instant,
  order_id: text,
  venue: text,
  symbol: text,
  side: text,
  quantity: amount,
  notional: amount,
  profit: amount.meta({ description: 'Realised since the window began, fees off, with this one.' }),
}) satisfies z.ZodType<FillMoment>;
const haltMoment = z.object({
  at: instant,
  state: text,
  scope: text,
  actor: text,
  reason: text,
}) satisfies z.ZodType<HaltMoment>;
const performance = {
  desk_id: text,
  metrics,
  equity: z.array(equityPoint),
  fills: z.array(fillMoment),
  halts: z.array(haltMoment).meta({ description: 'Of itself and of `global`.' }),
};
export const strategyPerformance = z.object({ ...performance, strategy_id: text });
export const botPerformance = z.object({ ...performance, bot_id: text });
