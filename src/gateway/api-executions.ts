/** REST: executions. */
import { z } from 'zod';
import type { NodeKinds } from '../activities/kinds';
import { haltReason } from '../emergency/reason';
import { HoldfastError, messageOf, type ErrorCode } from '../errors';
import { present } from '../json';
import type { Logger } from '../logging';
import type { EventReader } from '../event-log';
import type { RunGraphInput } from '../workflows/messages';
import type { ExecutionSummary, HoldfastClient, StartedExecution } from '../temporal-client/holdfast-client';
import type { Tracer } from '../tracing/tracer';
import { assertMaySee, assertRole, isRestricted, maySee } from './access';
import type { Accounts } from './accounts';
import { accepted, EXECUTION_STATES, executionAnswer, executionPage, startedExecution } from './answers';
import { parse } from './problem';
import { prepareDocument } from './preparation';
import { idSchema } from './protocol';
import { idParams, moment, pageOf } from './query';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

export interface ApiContext {
  readonly client: HoldfastClient;
  readonly reader: EventReader;
  readonly accounts: Accounts;
  readonly kinds: NodeKinds;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Address of the namespace in Temporal's Web UI. */
  readonly web_ui?: string;
  /** Without it nothing is traced; a trace context that comes in is handed on all the same. */
  readonly tracer?: Tracer;
}

export const startBody = z.strictObject({
  execution_id: idSchema.optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
});
export const reasonBody = z.strictObject({ reason: z.string().min(1).max(500).optional() });

const listQuery = z.strictObject({
  workflow_id: idSchema.optional(),
  bot_id: idSchema.optional(),
  strategy_id: idSchema.optional(),
  state: z.enum(EXECUTION_STATES).optional(),
  from: moment.optional(),
  to: moment.optional(),
  ...pageOf({ most: 200, usual: 50 }),
});
const startGraphBody = startBody.extend({ graph: z.record(z.string(), z.unknown()), live: z.boolean().optional() });
const ACTIONS = {
  halt: 'Halt it: nothing new starts, what runs is awaited',
  resume: 'Lift its own halt',
  cancel: 'Cancel it: what runs is awaited, the rest is skipped',
} as const;

export function executionRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'get',
      path: '/api/executions',
      summary: 'List executions, the latest first',
      description:
        'From Temporal’s visibility store. `from` (included) and `to` (not) are of when it began, or went on in a new run.',
      role: 'viewer',
      query: listQuery,
      answers: { 200: { says: 'One page.', schema: executionPage } },
      refusals: ['TemporalUnavailable'],
      handle: async ({ query, identity }) => {
        const { bots, strategies } = identity;
        return context.client.listExecutions(present({ ...query, bots, strategies }));
      },
    }),
    route({
      method: 'post',
      path: '/api/executions',
      summary: 'Start a graph that is not deployed',
      description:
        'Under an `execution_id` of the caller’s the same start may be sent again: it starts once. `live: true` trades with real money.',
      role: 'operator',
      body: startGraphBody,
      answers: STARTED,
      refusals: [...START_REFUSALS, 'GraphInvalid', 'GraphTooLarge'],
      handle: async ({ identity, body: { graph, live, ...options }, traceparent }, reply) => {
        const asked = { ...options, traceparent };
        const started = await start(context, identity, prepareDocument(graph, context.kinds, { live }), asked);
        return reply.code(started.already_started === true ? 200 : 201).send(started);
      },
    }),
    route({
      method: 'get',
      path: '/api/executions/:id',
      summary: 'One execution: summary, graph, and how it stands',
      role: 'viewer',
      params: idParams,
      answers: { 200: { says: 'The execution.', schema: executionAnswer } },
      refusals: ['ExecutionNotFound', 'TemporalUnavailable'],
      handle: ({ params, identity }) => read(context, identity, params.id),
    }),
    ...(['halt', 'resume', 'cancel'] as const).map((action) => steeringRoute(context, action)),
  ];
}

export const STARTED = {
  200: { says: 'The same start was made before.', schema: startedExecution },
  201: { says: 'It was started.', schema: startedExecution },
} as const;
export const START_REFUSALS: readonly ErrorCode[] = [
  'EmergencyHalted',
  'EmergencyUnreachable',
  'ExecutionExists',
  'InputsInvalid',
  'TemporalUnavailable',
];

function steeringRoute(context: ApiContext, action: keyof typeof ACTIONS): DeclaredRoute {
  return route({
    method: 'post',
    path: `/api/executions/:id/${action}`,
    summary: ACTIONS[action],
    description: action === 'halt' ? 'Obeyed whatever the body says, also without one.' : '',
    role: 'operator',
    params: idParams,
    told_body: reasonBody,
    answers: { 200: { says: 'Temporal has it.', schema: accepted } },
    refusals: ['ExecutionNotFound', 'ExecutionClosed', 'TemporalUnavailable'],
    handle: ({ params, identity, raw_body }) =>
      steer(context, identity, { id: params.id, action, reason: reasonOf(action, raw_body) }),
  });
}

/** Only a halt is obeyed whatever its body says. Throws `BadRequest`. */
function reasonOf(action: string, body: unknown): string {
  if (action === 'halt') return haltReason(body);
  return parse(reasonBody, body ?? {}).reason ?? 'unspecified';
}

async function read({ client, accounts, web_ui }: ApiContext, identity: Identity, id: string) {
  const summary = await seen(client, identity, id);
  const [status, input] = await Promise.all([accounts.status(id), client.executionInput(id)]);
  const web_ui_url =
    web_ui === undefined ? undefined : `${web_ui}/workflows/${encodeURIComponent(id)}/${summary.run_id}`;
  return { ...summary, graph: input.graph, ...present({ status, web_ui_url }) };
}

interface Steering {
  readonly id: string;
  readonly action: keyof typeof ACTIONS;
  readonly reason: string;
}

async function steer({ client, accounts, log }: ApiContext, identity: Identity, { id, action, reason }: Steering) {
  if (isRestricted(identity)) await seen(client, identity, id);
  if (action === 'halt') await client.haltExecution(id, reason);
  else if (action === 'resume') await client.resumeExecution(id, reason);
  else await client.cancelExecution(id);
  log.info({ execution_id: id, action, reason, actor: identity.subject }, 'execution_command');
  const state = (await accounts.status(id))?.state;
  return { execution_id: id, action, accepted: true, ...(state === undefined ? {} : { state }) };
}

/** Throws `ExecutionNotFound`, `Forbidden`. */
export async function seen(client: HoldfastClient, identity: Identity, id: string): Promise<ExecutionSummary> {
  const summary = await client.describeExecution(id);
  assertMaySee(identity, summary);
  return summary;
}

export interface AskedStart extends z.infer<typeof startBody> {
  readonly traceparent?: string | undefined;
}

/** Starts a graph; the same start under the same id again answers with the execution there is. */
export async function start(
  { client, log, tracer }: ApiContext,
  identity: Identity,
  input: RunGraphInput,
  { traceparent: parent, ...options }: AskedStart,
): Promise<StartedExecution> {
  assertRole(identity, 'operator');
  assertMaySee(identity, input.graph);
  const attributes = { 'holdfast.workflow_id': input.graph.id, 'holdfast.actor': identity.subject };
  const span = tracer?.begin({ name: 'start_execution', kind: 'server', parent, attributes });
  const traceparent = span?.traceparent ?? parent;
  try {
    const started = await client.startExecution({ ...input, ...present({ traceparent }) }, present(options));
    log.info({ ...started, workflow_id: input.graph.id, actor: identity.subject }, 'execution_requested');
    span?.end();
    return started;
  } catch (error) {
    const error_type = error instanceof HoldfastError ? error.code : 'Unexpected';
    span?.end({ error: messageOf(error), error_type });
    throw await withoutSecrets(client, identity, error);
  }
}

/** How the existing execution differs is for those who may see it. */
export async function withoutSecrets(client: HoldfastClient, identity: Identity, error: unknown): Promise<unknown> {
  if (!(error instanceof HoldfastError) || error.code !== 'ExecutionExists') return error;
  const { execution_id } = error.details as { execution_id: string };
  if (maySee(identity, await client.describeExecution(execution_id))) return error;
  return new HoldfastError('ExecutionExists', `An execution called ${execution_id} was already started.`, {
    execution_id,
  });
}
