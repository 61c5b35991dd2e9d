/** REST: what an operator does to the nodes of an execution, sends to it, and has run again. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { present } from '../json';
import type { NodeStatus } from '../workflows/messages';
import { assertRole, isRestricted, rolesOf } from './access';
import { idParams, reasonBody, seen, withoutSecrets, type ApiContext } from './api-executions';
import { identityOf } from './http';
import { parse } from './problem';
import { approveFields, idSchema, nodeKey, type Message } from './protocol';
import type { Identity } from './tokens';

const nodeParams = z.object({ id: idSchema, node: nodeKey });
const approveBody = z.strictObject(approveFields);
const messageBody = z.strictObject({ name: z.string().min(1).max(200), payload: z.unknown().optional() });
const rerunBody = z.strictObject({
  from: nodeKey.optional(),
  execution_id: idSchema.optional(),
  live: z.boolean().optional(),
  dry_run: z.boolean().optional(),
});

/** The answer to what was done to a node: how it stands since. */
export interface Steered {
  readonly execution_id: string;
  readonly node: string;
  readonly status: NodeStatus;
}

export function addSteering(app: FastifyInstance, context: ApiContext): void {
  app.post('/api/executions/:id/nodes/:node/approve', (request) => {
    const { id, node } = parse(nodeParams, request.params);
    const identity = identityOf(request);
    assertRole(identity, 'operator');
    return approve(context, identity, { execution_id: id, node, ...parse(approveBody, request.body) });
  });
  for (const action of ['retry', 'skip'] as const) {
    app.post(`/api/executions/:id/nodes/:node/${action}`, (request) => steerNode(context, request, action));
  }
  app.post('/api/executions/:id/messages', async (request, reply) => {
    return reply.code(202).send(await deliver(context, request));
  });
  app.post('/api/executions/:id/rerun', async (request, reply) => {
    const { started, answer } = await rerun(context, request);
    return reply.code(started ? 201 : 200).send(answer);
  });
}

/**
 * Who decides is whom the token names, whatever a message says; the roles the token includes count as well. Throws `Forbidden`,
 * `NodeNotFound`, `NodeNotWaiting`, `ExecutionClosed`.
 */
export async function approve(
  context: ApiContext,
  identity: Identity,
  { execution_id, node, decision, comment }: Message<'approve'>,
): Promise<Steered> {
  await assertMaySteer(context, identity, execution_id);
  const actor = identity.subject;
  const request = { node, decision, actor, roles: rolesOf(identity), ...present({ comment }) };
  const status = await context.client.approveNode(execution_id, request);
  context.log.info({ execution_id, node, action: decision, actor }, 'node_command');
  return { execution_id, node, status };
}

async function steerNode(context: ApiContext, request: FastifyRequest, action: 'retry' | 'skip'): Promise<Steered> {
  const identity = identityOf(request);
  assertRole(identity, 'operator');
  const { id, node } = parse(nodeParams, request.params);
  const { reason } = parse(reasonBody, request.body ?? {});
  await assertMaySteer(context, identity, id);
  const { client, log } = context;
  const command = { node, actor: identity.subject, ...present({ reason }) };
  const status = await (action === 'retry' ? client.retryNode(id, command) : client.skipNode(id, command));
  log.info({ execution_id: id, action, ...command }, 'node_command');
  return { execution_id: id, node, status };
}

async function deliver(context: ApiContext, request: FastifyRequest) {
  const identity = identityOf(request);
  assertRole(identity, 'operator');
  const { id } = parse(idParams, request.params);
  const { name, payload = null } = parse(messageBody, request.body);
  await assertMaySteer(context, identity, id);
  await context.client.deliverMessage(id, { name, payload });
  context.log.info({ execution_id: id, name, actor: identity.subject }, 'message_delivered');
  return { execution_id: id, name, accepted: true };
}

async function rerun(context: ApiContext, request: FastifyRequest) {
  const identity = identityOf(request);
  assertRole(identity, 'operator');
  const { id } = parse(idParams, request.params);
  const options = parse(rerunBody, request.body ?? {});
  await assertMaySteer(context, identity, id);
  try {
    const answer = await context.client.rerunExecution(id, present(options));
    const started = options.dry_run !== true && answer.already_started !== true;
    const { execution_id, again } = answer;
    if (started) {
      const entry = { execution_id, rerun_of: id, nodes: again.length, actor: identity.subject };
      context.log.info(entry, 'execution_requested');
    }
    return { started, answer };
  } catch (error) {
    throw await withoutSecrets(context.client, identity, error);
  }
}

/** Throws `Forbidden`, `ExecutionNotFound`. */
async function assertMaySteer({ client }: ApiContext, identity: Identity, id: string): Promise<void> {
  assertRole(identity, 'operator');
  if (isRestricted(identity)) await seen(client, identity, id);
}
