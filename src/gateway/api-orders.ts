/** REST: orders with their fills, positions, and what bots and strategies came to. */
import { z } from 'zod';
import type { DeskFigures, PositionFigures } from '../emergency/figures';
import { GLOBAL } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import { LONGEST_ID } from '../events/execution-id';
import { present } from '../json';
import { OPEN_STATUSES, readPage, type OrderFilter } from '../journal/order-queries';
import { DEFAULT_DESK } from '../temporal-client/desk';
import { assertMaySee, isRestricted, maySee, ownerOfScope } from './access';
import { botPerformance, orderAnswer, orders, positions, strategyPerformance } from './answers-orders';
import { readJournal } from './journal-reads';
import {
  DEFAULT_WINDOW,
  WINDOW,
  metricsOf,
  scopeOfOwner,
  windowMs,
  type MetricsContext,
  type MetricsOwner,
} from './metrics';
import { moment } from './query';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

const name = z.string().min(1).max(200);
const STATUSES = [...OPEN_STATUSES, 'filled', 'cancelled', 'rejected', 'unused', 'unpermitted'] as const;
const ordersQuery = z.strictObject({
  bot_id: name.optional(),
  strategy_id: name.optional(),
  execution_id: z.string().min(1).max(LONGEST_ID).optional(),
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
const ownerParams = z.object({ id: name });
const performanceQuery = z.strictObject({
  window: z
    .string()
    .regex(WINDOW, 'must be a span such as 90m, 24h or 7d')
    .refine((window) => windowMs(window) <= LONGEST_WINDOW_MS, 'must be at most 366d')
    .default(DEFAULT_WINDOW),
});

const LONGEST_WINDOW_MS = 366 * 86_400_000;
/** Of the equity, the fills and the halts each. */
const MOST_MOMENTS = 500;

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
    performanceRoute(context, 'bot'),
    performanceRoute(context, 'strategy'),
  ];
}

const PERFORMANCE = {
  bot: { path: '/api/bots/:id/performance', schema: botPerformance },
  strategy: { path: '/api/strategies/:id/performance', schema: strategyPerformance },
} as const;

function performanceRoute(context: MetricsContext, kind: keyof typeof PERFORMANCE): DeclaredRoute {
  const { path, schema } = PERFORMANCE[kind];
  return route({
    method: 'get',
    path,
    summary: `What a ${kind} came to over a window`,
    role: 'viewer',
    params: ownerParams,
    query: performanceQuery,
    answers: { 200: { says: 'Metrics, and the latest 500 each of its equity, fills and halts.', schema } },
    refusals: ['JournalUnavailable', 'EmergencyUnreachable'],
    handle: ({ params: { id }, query: { window }, identity }) =>
      performanceOf(context, identity, kind === 'bot' ? { bot_id: id } : { strategy_id: id }, window),
  });
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

async function performanceOf(context: MetricsContext, identity: Identity, owner: MetricsOwner, window: string) {
  assertMaySee(identity, owner);
  const since = Date.now() - windowMs(window);
  const scope = scopeOfOwner(owner);
  const asked = { desk_id: DEFAULT_DESK, since, limit: MOST_MOMENTS };
  const [metrics, equity, fills, halts] = await Promise.all([
    metricsOf(context, owner, window),
    readJournal(context.journal, (reads) => reads.equitySeries({ ...asked, scope })),
    readJournal(context.journal, (reads) => reads.fillsSince({ ...asked, ...owner })),
    readJournal(context.journal, (reads) => reads.haltsSince({ ...asked, scopes: [GLOBAL, scope] })),
  ]);
  return { desk_id: DEFAULT_DESK, ...owner, metrics, equity, fills, halts };
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
