/** REST: executions. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { NodeKinds } from '../activities/kinds';
import { haltReason } from '../emergency/reason';
import { HoldfastError } from '../errors';
import { present } from '../json';
import type { Logger } from '../logging';
import type { EventReader } from '../event-log';
import type { RunGraphInput } from '../workflows/messages';
import type {
  ExecutionFilter,
  ExecutionSummary,
  HoldfastClient,
  StartedExecution,
} from '../temporal-client/holdfast-client';
import { wholeNumber } from '../whole-number';
import { assertMaySee, assertRole, isRestricted, maySee } from './access';
import { identityOf } from './http';
import { parse } from './problem';
import { prepareDocument } from './preparation';
import { idSchema } from './protocol';
import type { Identity } from './tokens';

export interface ApiContext {
  readonly client: HoldfastClient;
  readonly reader: EventReader;
  readonly kinds: NodeKinds;
  readonly log: Logger;
}

export const idParams = z.object({ id: idSchema });
export const startBody = z.strictObject({
  execution_id: idSchema.optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
});
export const reasonBody = z.strictObject({ reason: z.string().min(1).max(500).optional() });

/** Only a halt is obeyed whatever its body says. Throws `BadRequest`. */
export function reasonOf(action: string, body: unknown): string {
  if (action === 'halt') return haltReason(body);
  return parse(reasonBody, body ?? {}).reason ?? 'unspecified';
}

const listQuery = z.strictObject({
  workflow_id: idSchema.optional(),
  bot_id: idSchema.optional(),
  strategy_id: idSchema.optional(),
  state: z
    .enum(['running', 'halted', 'waiting', 'completed', 'failed', 'cancelled', 'terminated', 'timed_out'])
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
  page: z.string().max(10_000).optional(),
});
const eventsQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[\w-]{1,100}:\d{1,15}$/, 'must be <log_epoch>:<seq>')
    .optional(),
  limit: z.coerce.number().int().min(1).max(2_000).optional(),
});
const startGraphBody = startBody.extend({ graph: z.record(z.string(), z.unknown()) });

/** How long an answer waits for the execution's own word. A halt is with Temporal by then. */
const WORD_MS = 2_000;

export function addExecutions(app: FastifyInstance, context: ApiContext): void {
  app.get('/api/executions', (request) => list(context, request));
  app.post('/api/executions', async (request, reply) => {
    const { graph, ...options } = parse(startGraphBody, request.body);
    const identity = identityOf(request);
    const started = await start(context, identity, prepareDocument(graph, context.kinds), options);
    return reply.code(started.already_started === true ? 200 : 201).send(started);
  });
  app.get('/api/executions/:id', (request) => read(context, request));
  app.get('/api/executions/:id/events', (request) => events(context, request));
  for (const action of ['halt', 'resume', 'cancel'] as const) {
    app.post(`/api/executions/:id/${action}`, (request) => steer(context, request, action));
  }
}

async function list({ client }: ApiContext, request: FastifyRequest) {
  const identity = identityOf(request);
  const filter = parse(listQuery, request.query) as ExecutionFilter;
  const page = await client.listExecutions(filter);
  return { ...page, executions: page.executions.filter((each) => maySee(identity, each)) };
}

async function read({ client }: ApiContext, request: FastifyRequest) {
  const { id } = parse(idParams, request.params);
  const summary = await seen(client, identityOf(request), id);
  const [status, input] = await Promise.all([soon(client.executionStatus(id)), client.executionInput(id)]);
  return { ...summary, graph: input.graph, ...(status === undefined ? {} : { status }) };
}

/** What comes within two seconds. A worker has to say it, and without one the rest is still worth showing. */
async function soon<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, WORD_MS, undefined);
  });
  return Promise.race([answer.catch(() => undefined), late]).finally(() => {
    clearTimeout(timer);
  });
}

async function events({ client, reader }: ApiContext, request: FastifyRequest) {
  const { id } = parse(idParams, request.params);
  const { after, limit } = parse(eventsQuery, request.query);
  await seen(client, identityOf(request), id);
  const [log_epoch = '', seq = '0'] = after?.split(':') ?? [];
  const replay = await reader.replay(id, after === undefined ? undefined : { log_epoch, seq: wholeNumber(seq) }, limit);
  return { recovered: replay.recovered, cursor: replay.position, events: replay.events };
}

async function steer({ client, log }: ApiContext, request: FastifyRequest, action: 'halt' | 'resume' | 'cancel') {
  const identity = identityOf(request);
  assertRole(identity, 'operator');
  const { id } = parse(idParams, request.params);
  const reason = reasonOf(action, request.body);
  if (isRestricted(identity)) await seen(client, identity, id);
  if (action === 'halt') await client.haltExecution(id, reason);
  else if (action === 'resume') await client.resumeExecution(id, reason);
  else await client.cancelExecution(id);
  log.info({ execution_id: id, action, reason, actor: identity.subject }, 'execution_command');
  const state = (await soon(client.executionStatus(id)))?.state;
  return { execution_id: id, action, accepted: true, ...(state === undefined ? {} : { state }) };
}

/** Throws `ExecutionNotFound`, `Forbidden`. */
export async function seen(client: HoldfastClient, identity: Identity, id: string): Promise<ExecutionSummary> {
  const summary = await client.describeExecution(id);
  assertMaySee(identity, summary);
  return summary;
}

/** Starts a graph; the same start under the same id again answers with the execution there is. */
export async function start(
  { client, log }: ApiContext,
  identity: Identity,
  input: RunGraphInput,
  options: z.infer<typeof startBody>,
): Promise<StartedExecution> {
  assertRole(identity, 'operator');
  assertMaySee(identity, input.graph);
  try {
    const started = await client.startExecution(input, present(options));
    log.info({ ...started, workflow_id: input.graph.id, actor: identity.subject }, 'execution_requested');
    return started;
  } catch (error) {
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
