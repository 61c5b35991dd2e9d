/** What REST answers about the desk and its bots, as schemas. Amounts are decimal texts. */
import { z } from 'zod';
import type { CancelReport } from '../emergency/cancels';
import type { FlattenReport } from '../emergency/flatten';
import type { DeskStatus, ScopeStatus } from '../emergency/status';
import type { Metrics } from '../events/envelope';
import type { AuditRow } from '../journal/journal';
import type { EmergencyAnswer } from './protocol';

const text = z.string();
const count = z.number().int().min(0);
export const amount = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .meta({ id: 'Amount', description: 'A decimal text.' });
export const epochMs = z
  .number()
  .meta({ id: 'Milliseconds', description: 'Milliseconds since 1970, by the desk’s clock.' });
const STATES = ['normal', 'alert', 'halt', 'shutdown'] as const;
const side = z.enum(['buy', 'sell']);

const scopeFields = {
  scope: text,
  state: z.enum(STATES),
  effective_state: z.enum(STATES),
  can_trade: z.boolean(),
  can_operate: z.boolean(),
  epoch: count,
  causes: z.array(
    z.object({
      id: text,
      state: z.enum(['alert', 'halt', 'shutdown']),
      reason: text,
      actor: text,
      since: epochMs,
      epoch: count,
    }),
  ),
  halted_at: epochMs.exactOptional(),
  sealed_at: epochMs.exactOptional(),
  awaits_approval_until: epochMs.exactOptional(),
  auto_halt: z.boolean().exactOptional(),
  limits: z.array(
    z.object({
      limit: z.enum([
        'daily_loss',
        'max_order_notional',
        'max_position_notional',
        'max_drawdown_percent',
        'max_open_orders',
        'order_rate',
        'price_collar_percent',
        'consecutive_losses',
        'max_price_age',
      ]),
      allowed: amount,
      used: amount.exactOptional(),
      utilization: amount.exactOptional(),
    }),
  ),
  reserved: amount,
  held: amount,
  open_orders: count,
  unsettled: count,
  realized: amount.exactOptional(),
  fees: amount.exactOptional(),
  equity: amount.exactOptional(),
  day_start_equity: amount.exactOptional(),
  high_water_mark: amount.exactOptional(),
};
const scopeStatus = z.object(scopeFields).meta({ id: 'ScopeStatus' }) satisfies z.ZodType<ScopeStatus>;
/** With the desk whose it is. */
export const scopeAnswer = z.object({ desk_id: text, desk_epoch: count, ...scopeFields });

const botFields = {
  bot_id: text,
  name: text,
  venues: z.array(text),
  starting_equity: amount,
  time_zone: text,
};
const bot = z.object(botFields).meta({ id: 'Bot' });

const openPermit = z.object({
  permit_id: text,
  instrument: text,
  venue: text,
  symbol: text,
  side,
  quantity: amount,
  ordered: amount.exactOptional(),
  price: amount,
  filled: amount,
  reduces: z.boolean(),
  status: z.enum(['granted', 'acknowledged', 'fenced', 'closed']),
  unknown: z.literal(true).exactOptional(),
  epoch: count,
  at: epochMs,
  execution_id: text,
  workflow_id: text.exactOptional(),
  mode: z.enum(['paper', 'live']).exactOptional(),
  client_order_id: text.exactOptional(),
  order_id: text.exactOptional(),
  bot_id: text.exactOptional(),
  strategy_id: text.exactOptional(),
});

export const deskAnswer = z
  .object({
    desk_id: text,
    currency: text,
    time_zone: text,
    epoch: count,
    clock: epochMs,
    state: z.enum(STATES),
    can_trade: z.boolean(),
    can_operate: z.boolean(),
    scopes: z.array(scopeStatus),
    blind_until: epochMs.exactOptional(),
    bots: z.array(bot),
    open_permits: z.object({ count, unknown: count, listed: z.array(openPermit) }),
  })
  .meta({ id: 'Desk' }) satisfies z.ZodType<DeskStatus>;

export const commandAnswer = z
  .object({
    command_id: text,
    action: text,
    scope: text,
    state: z.enum(STATES).exactOptional(),
    epoch: count.exactOptional(),
    accepted_ms: z.number().exactOptional(),
    in_force_ms: z.number().exactOptional(),
    sealed: z.boolean().exactOptional(),
    sealed_ms: z.number().exactOptional(),
    unsettled: count.exactOptional(),
    awaits_approval_until: epochMs.exactOptional(),
  })
  .meta({ id: 'CommandAnswer' }) satisfies z.ZodType<EmergencyAnswer>;

const account = { venue: text, account: text };
const cancelReport = z.object({
  scope: text,
  epoch: count.exactOptional(),
  symbol: text.exactOptional(),
  cancel_stops: z.boolean().exactOptional(),
  reason: text,
  actor: text,
  accounts: z.array(
    z.object({
      ...account,
      is_listed: z.boolean(),
      orders: z.array(
        z.object({
          client_order_id: text,
          symbol: text,
          side,
          permit_id: text.exactOptional(),
          status: z.enum(['cancelled', 'filled', 'not_found', 'spared', 'pending']),
          filled_quantity: amount.exactOptional(),
          why: text.exactOptional(),
        }),
      ),
      pending: count,
      why: text.exactOptional(),
    }),
  ),
  unreachable: z.array(z.object(account)),
  is_done: z.boolean(),
}) satisfies z.ZodType<CancelReport>;

const named = { name: text, started_at: z.number() };
export const cancels = z.object({ cancels: z.array(z.object({ ...named, report: cancelReport.exactOptional() })) });

const flattenReport = z.object({
  scope: text,
  reason: text,
  actor: text,
  command_id: text,
  epoch: count,
  max_slippage_percent: amount.exactOptional(),
  results: z.array(
    z.object({
      ...account,
      symbol: text,
      bot_id: text.exactOptional(),
      strategy_id: text.exactOptional(),
      side,
      quantity: amount,
      status: z.enum(['pending', 'closed', 'partly_closed', 'nothing', 'refused', 'not_filled', 'unreachable']),
      filled_quantity: amount,
      filled_notional: amount,
      average_price: amount.exactOptional(),
      rest: amount,
      code: text.exactOptional(),
      why: text.exactOptional(),
      refusals: count.exactOptional(),
      orders: z.array(text),
    }),
  ),
  is_done: z.boolean(),
}) satisfies z.ZodType<FlattenReport>;
export const flattens = z.object({ flattens: z.array(z.object({ ...named, report: flattenReport.exactOptional() })) });

export const metrics = z
  .object({
    window: text,
    realized_pnl: amount,
    fees: amount,
    unrealized_pnl: amount,
    exposure: amount,
    equity: amount.exactOptional(),
    drawdown_percent: amount.exactOptional(),
    orders: count,
    fills: count,
    win_rate: amount.exactOptional(),
    executions: count,
    failures: count,
    mean_duration_ms: count.exactOptional(),
  })
  .meta({ id: 'Metrics' }) satisfies z.ZodType<Metrics>;

export const bots = z.object({ desk_id: text, bots: z.array(bot) });
export const botAnswer = bot.partial().extend({
  emergency: scopeAnswer,
  metrics: metrics.exactOptional(),
  metrics_error: z.object({ code: text, message: text }).exactOptional(),
});

const auditRow = z.object({
  desk_id: text,
  position: count,
  ordinal: count,
  at: z.number(),
  epoch: count,
  action: text,
  actor: text,
  scope: text,
  reason: text,
  command_id: text.exactOptional(),
  outcome: text,
  body: text,
  previous_hash: text,
  hash: text,
}) satisfies z.ZodType<AuditRow>;
export const auditAnswer = z.object({
  desk_id: text,
  total: count,
  next_after: count.meta({ description: '`after` of what comes next.' }),
  entries: z.array(auditRow),
});
