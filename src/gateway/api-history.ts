/** REST: what became of an execution: its events while the log keeps them, and its timeline for as long as Temporal keeps it. */
import { z } from 'zod';
import { HoldfastError } from '../errors';
import type { Cursor, EventReader, Replay } from '../event-log';
import { present } from '../json';
import type { ExecutionSummary } from '../temporal-client/holdfast-client';
import { insideEntries } from '../temporal-client/timelines';
import { wholeNumber } from '../whole-number';
import { seen, type ApiContext } from './api-executions';
import { eventsAnswer } from './answers';
import { timelineAnswer } from './answers-timeline';
import { idParams } from './query';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

const eventsQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[\w-]{1,100}:\d{1,15}$/, 'must be <log_epoch>:<seq>')
    .optional()
    .meta({ description: '`<log_epoch>:<seq>` of the last event the client has.' }),
  limit: z.coerce.number().int().min(1).max(2_000).default(300),
});
const timelineQuery = z.strictObject({
  page: z.uuid().optional().meta({ description: '`next_page` of the page before: an earlier run.' }),
});

/** What a stream keeps. */
const WINDOW = 2_000;
/** What ended no longer ago is told again by a gateway that finds the log without it. */
const TOLD_AGAIN_MS = 15 * 60_000;

export function historyRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'get',
      path: '/api/executions/:id/events',
      summary: 'Events of an execution, oldest first',
      description:
        'From the log, which keeps the latest 2,000 for a day after the end; beyond that there is the timeline.',
      role: 'viewer',
      params: idParams,
      query: eventsQuery,
      answers: { 200: { says: 'Events after the position, up to `limit`.', schema: eventsAnswer } },
      refusals: ['ExecutionNotFound', 'EventsExpired', 'RedisUnavailable'],
      handle: ({ params, query, identity }) => events(context, identity, { ...params, ...query }),
    }),
    route({
      method: 'get',
      path: '/api/executions/:id/timeline',
      summary: 'When each node was handed out, began and ended, from Temporal’s history',
      description:
        'Also of executions that ended long ago. A page is one run: an execution whose history grows long goes on in the next. The latest comes first.',
      role: 'viewer',
      params: idParams,
      query: timelineQuery,
      answers: { 200: { says: 'One run.', schema: timelineAnswer } },
      refusals: ['ExecutionNotFound', 'TemporalUnavailable'],
      handle: ({ params, query, identity }) => timeline(context, identity, params.id, query.page),
    }),
  ];
}

interface AskedEvents {
  readonly id: string;
  readonly after?: string | undefined;
  readonly limit: number;
}

async function events({ client, reader, now }: ApiContext, identity: Identity, { id, after, limit }: AskedEvents) {
  const summary = await seen(client, identity, id);
  const cursor = after === undefined ? undefined : cursorOf(after);
  const { recovered, position, events: found } = await replay(reader, id, cursor);
  if (position.seq === 0) assertToldAgain(summary, now());
  const given = found.slice(0, limit);
  const last = given.at(-1);
  const isAll = given.length === found.length;
  return {
    // Nothing of one that has ended means that what happened is not there any more, not that nothing happened.
    recovered: recovered && !(position.seq === 0 && summary.closed_at !== undefined),
    cursor: isAll || last === undefined ? position : { log_epoch: last.log_epoch, seq: last.seq },
    ...(isAll ? {} : { more: true }),
    events: given,
  };
}

function cursorOf(after: string): Cursor {
  const [log_epoch = '', seq = '0'] = after.split(':');
  return { log_epoch, seq: wholeNumber(seq) };
}

/** Of a stream that is longer than its window, what is left of it, told as not recovered. */
async function replay(reader: EventReader, id: string, after: Cursor | undefined): Promise<Replay> {
  const asked = await reader.replay(id, after, WINDOW);
  const { position } = asked;
  const isWithin = after === undefined || (after.log_epoch === position.log_epoch && after.seq <= position.seq);
  if (asked.recovered || asked.events.length > 0 || !isWithin) return asked;
  const left = await reader.replay(id, { ...position, seq: Math.max(0, position.seq - WINDOW) }, WINDOW);
  return { ...left, recovered: false };
}

/** Throws `EventsExpired` for an execution that ended so long ago that nobody will put it into the log again. */
function assertToldAgain({ execution_id, closed_at }: ExecutionSummary, now: number): void {
  if (closed_at === undefined || now - Date.parse(closed_at) <= TOLD_AGAIN_MS) return;
  const timeline = `/api/executions/${execution_id}/timeline`;
  const message = `The log holds nothing of ${execution_id} any more, which ended at ${closed_at}; ask ${timeline}.`;
  throw new HoldfastError('EventsExpired', message, { execution_id, timeline });
}

async function timeline({ client, accounts }: ApiContext, identity: Identity, id: string, page: string | undefined) {
  await seen(client, identity, id);
  const run = await client.runTimeline(id, page);
  const { execution_id, run_id, marks, earlier_run } = run;
  const answer = { execution_id, run_id, marks, ...present({ next_page: earlier_run }) };
  if (page !== undefined) return { ...answer, entries: run.entries };
  const status = await accounts.status(id);
  const inside = status === undefined ? [] : insideEntries(run, status);
  return { ...answer, entries: [...run.entries, ...inside].sort(byTime), inside_known: status !== undefined };
}

/** What has no time comes last. */
function byTime(a: { readonly scheduled_at?: string }, b: { readonly scheduled_at?: string }): number {
  return (a.scheduled_at ?? '~').localeCompare(b.scheduled_at ?? '~');
}
