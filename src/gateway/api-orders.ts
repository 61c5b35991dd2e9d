/** REST: orders with their fills, positions, and what strategies came to. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { DeskFigures, PositionFigures } from '../emergency/figures';
import { HoldfastError } from '../errors';
import { present } from '../json';
import { OPEN_STATUSES, readPage, type OrderFilter } from '../journal/order-queries';
import { DEFAULT_DESK } from '../temporal-client/desk';
import { wholeNumber } from '../whole-number';
import { assertMaySee, isRestricted, maySee, ownerOfScope } from './access';
import { identityOf } from './http';
import { readJournal } from './journal-reads';
import { DEFAULT_WINDOW, WINDOW, metricsOf, windowMs, type MetricsContext } from './metrics';
import { parse } from './problem';
import type { Identity } from './tokens';

const name = z.string().min(1).max(200);
const STATUSES = [...OPEN_STATUSES, 'filled', 'cancelled', 'rejected', 'unused', 'unpermitted'] as const;
/** ISO 8601 with a zone, or milliseconds since 1970. */
const moment = z.union([
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  z
    .string()
    .regex(/^\d{1,14}$/)
    .transform(wholeNumber),
]);
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

export function addOrders(app: FastifyInstance, context: MetricsContext): void {
  app.get('/api/orders', (request) => list(context, request));
  app.get('/api/orders/:id', (request) => one(context, request));
  app.get('/api/positions', async (request) => {
    const { desk_id, currency, clock, positions } = await context.client.deskFigures();
    return { desk_id, currency, at: clock, positions: visible(positions, identityOf(request)) };
  });
  app.get('/api/strategies/:id/performance', (request) => performanceOf(context, request));
}

async function list({ journal }: MetricsContext, request: FastifyRequest) {
  const { status, open, ...filter } = parse(ordersQuery, request.query);
  if (status !== undefined && open === 'true')
    throw new HoldfastError('BadRequest', 'open: is a list of statuses too.');
  const statuses = open === 'true' ? OPEN_STATUSES : status;
  const asked = { desk_id: DEFAULT_DESK, ...present({ ...filter, statuses }), ...ownOf(identityOf(request)) };
  return { desk_id: DEFAULT_DESK, ...(await readJournal(journal, (reads) => reads.orders(asked))) };
}

/** The latest that went out under this id: one that was never used may have left its id to the next. */
async function one({ journal }: MetricsContext, request: FastifyRequest) {
  const { id } = parse(orderParams, request.params);
  const asked: OrderFilter = { desk_id: DEFAULT_DESK, order_id: id, limit: 20 };
  const { orders } = await readJournal(journal, (reads) => reads.orders(asked));
  const order = orders.find(({ status }) => status !== 'unused') ?? orders[0];
  if (order === undefined)
    throw new HoldfastError('OrderNotFound', `The journal holds no order ${id}.`, { order_id: id });
  assertMaySee(identityOf(request), { bot_id: order.bot_id ?? undefined, strategy_id: order.strategy_id ?? undefined });
  const fills = await readJournal(journal, (reads) => reads.fillsOf(order));
  return { ...order, fills };
}

async function performanceOf(context: MetricsContext, request: FastifyRequest) {
  const { id: strategy_id } = parse(strategyParams, request.params);
  const { window } = parse(performanceQuery, request.query);
  assertMaySee(identityOf(request), { strategy_id });
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
function visible(positions: DeskFigures['positions'], identity: Identity): readonly unknown[] {
  if (!isRestricted(identity)) return positions;
  return positions.flatMap((position) => {
    const parts = position.parts.filter(({ scope }) => maySee(identity, ownerOfScope(scope)));
    return parts.length === 0 ? [] : [{ ...placeOf(position), parts }];
  });
}

function placeOf({ account, venue, symbol, price, price_at }: PositionFigures) {
  return { account, venue, symbol, price, price_at };
}
