/** REST: orders with their fills, positions, and what strategies came to. */
import { z } from 'zod';
import type { DeskFigures, PositionFigures } from '../emergency/figures';
import { HoldfastError } from '../errors';
import { present } from '../json';
import { OPEN_STATUSES, readPage, type OrderFilter } from '../journal/order-queries';
import { DEFAULT_DESK } from '../temporal-client/desk';
import { assertMaySee, isRestricted, maySee, ownerOfScope } from './access';
import { orderAnswer, orders, performanceAnswer, positions } from './answers-orders';
import { readJournal } from './journal-reads';
import { DEFAULT_WINDOW, WINDOW, metricsOf, windowMs, type MetricsContext } from './metrics';
import { moment } from './query';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

const name = z.string().min(1).max(200);
const STATUSES = [...OPEN_STATUSES, 'filled', 'cancelled', 'rejected', 'unused', 'unpermitted'] as const;
const ordersQuery = z.strictObject({
  bot_id: name.optional(),
  strategy_id: name.optional(),
  execution_id: z.string().min(1).max(300).optional(),
  symbol: name.optional(),
  /** One, or several with commas between. */
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(STATUSES)))
    .optional(),
  /** What has not ended. */
  open: z.enum(['true', 'false']).optional(),
  from: moment.optional(),
  to: moment.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  page: z
    .string()
    .max(1_000)
    .refine((page) => readPage(page) !== undefined, 'is not the next_page of this list')
    .optional(),
});
const orderParams = z.object({ id: name });
const strategyParams = z.object({ id: name });
const performanceQuery = z.strictObject({
  window: z
    .string()
    .regex(WINDOW, 'must be a span such as 90m, 24h or 7d')
    .refine((window) => windowMs(window) <= LONGEST_WINDOW_MS, 'must be at most 366d')
    .default(DEFAULT_WINDOW),
});

const LONGEST_WINDOW_MS = 366 * 86_400_000;
const MOST_POINTS = 500;

export function orderRoutes(context: MetricsContext): readonly DeclaredRoute[] {
  const common = { method: 'get', role: 'viewer' } as const;
  return [
    route({
      ...common,
      path: '/api/orders',
      summary: 'List orders, newest first',
      description: '`from` (included) and `to` (not) are of when the order was intended.',
      query: ordersQuery,
      answers: { 200: { says: 'One page.', schema: orders } },
      refusals: ['JournalUnavailable'],
      handle: ({ query, identity }) => list(context, identity, query),
    }),
    route({
      ...common,
      path: '/api/orders/:id',
      summary: 'One order with its fills',
      description: 'By its client order id, or by the permit’s where it has none.',
      params: orderParams,
      answers: { 200: { says: 'The order; fills oldest first.', schema: orderAnswer } },
      refusals: ['OrderNotFound', 'JournalUnavailable'],
      handle: ({ params, identity }) => one(context, identity, params.id),
    }),
    route({
      ...common,
      path: '/api/positions',
      summary: 'What the desk knows to be held',
      answers: { 200: { says: 'By account, venue and symbol; of a restricted token its parts.', schema: positions } },
      refusals: ['EmergencyUnreachable'],
      handle: async ({ identity }) => {
        const { desk_id, currency, clock, positions: held } = await context.client.deskFigures();
        return { desk_id, currency, at: clock, positions: visible(held, identity) };
      },
    }),
    route({
      ...common,
      path: '/api/strategies/:id/performance',
      summary: 'What a strategy came to over a window',
      params: strategyParams,
      query: performanceQuery,
      answers: { 200: { says: 'Metrics, and the latest 500 points of its equity.', schema: performanceAnswer } },
      refusals: ['JournalUnavailable', 'EmergencyUnreachable'],
      handle: ({ params, query, identity }) => performanceOf(context, identity, { ...params, ...query }),
    }),
  ];
}

async function list({ journal }: MetricsContext, identity: Identity, query: z.infer<typeof ordersQuery>) {
  const { status, open, ...filter } = query;
  if (status !== undefined && open === 'true')
    throw new HoldfastError('BadRequest', 'open: is a list of statuses too.');
  const statuses = open === 'true' ? OPEN_STATUSES : status;
  const asked = { desk_id: DEFAULT_DESK, ...present({ ...filter, statuses }), ...ownOf(identity) };
  return { desk_id: DEFAULT_DESK, ...(await readJournal(journal, (reads) => reads.orders(asked))) };
}

/** The latest that went out under this id: one that was never used may have left its id to the next. */
async function one({ journal }: MetricsContext, identity: Identity, id: string) {
  const asked: OrderFilter = { desk_id: DEFAULT_DESK, order_id: id, limit: 20 };
  const { orders: found } = await readJournal(journal, (reads) => reads.orders(asked));
  const order = found.find(({ status }) => status !== 'unused') ?? found[0];
  if (order === undefined)
    throw new HoldfastError('OrderNotFound', `The journal holds no order ${id}.`, { order_id: id });
  assertMaySee(identity, { bot_id: order.bot_id ?? undefined, strategy_id: order.strategy_id ?? undefined });
  const fills = await readJournal(journal, (reads) => reads.fillsOf(order));
  return { ...order, fills };
}

interface AskedPerformance {
  readonly id: string;
  readonly window: string;
}

async function performanceOf(
  context: MetricsContext,
  identity: Identity,
  { id: strategy_id, window }: AskedPerformance,
) {
  assertMaySee(identity, { strategy_id });
  const series = { desk_id: DEFAULT_DESK, scope: `strategy:${strategy_id}`, limit: MOST_POINTS };
  const since = Date.now() - windowMs(window);
  const [metrics, equity] = await Promise.all([
    metricsOf(context, { strategy_id }, window),
    readJournal(context.journal, (reads) => reads.equitySeries({ ...series, since })),
  ]);
  return { desk_id: DEFAULT_DESK, strategy_id, metrics, equity };
}

function ownOf({ bots, strategies }: Identity) {
  return present({ bots, strategies });
}

/** A restricted token sees what its own bots and strategies hold, and not what else the account does. */
function visible(held: DeskFigures['positions'], identity: Identity): readonly unknown[] {
  if (!isRestricted(identity)) return held;
  return held.flatMap((position) => {
    const parts = position.parts.filter(({ scope }) => maySee(identity, ownerOfScope(scope)));
    return parts.length === 0 ? [] : [{ ...placeOf(position), parts }];
  });
}

function placeOf({ account, venue, symbol, price, price_at }: PositionFigures) {
  return { account, venue, symbol, price, price_at };
}
