/** REST: what an operator does to the nodes of an execution, sends to it, and has run again. */
import { z } from 'zod';
import { present } from '../json';
import type { NodeStatus } from '../workflows/messages';
import { assertRole, isRestricted, rolesOf } from './access';
import { acceptedMessage, rerunAnswer, steeredNode } from './answers';
import { reasonBody, seen, withoutSecrets, type ApiContext } from './api-executions';
import { approveFields, idSchema, nodeKey, type Message } from './protocol';
import { idParams } from './query';
import { route, type DeclaredRoute } from './route';
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

const NODE_ACTIONS = { retry: 'Begin a node anew that failed or waits', skip: 'Pass a node over that failed or waits' };

export function steeringRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'post',
      path: '/api/executions/:id/nodes/:node/approve',
      summary: 'Decide an approval node that waits',
      description: 'In the name of the token’s subject, which no body can change.',
      role: 'operator',
      params: nodeParams,
      body: approveBody,
      answers: { 200: { says: 'How the node stands since.', schema: steeredNode } },
      refusals: ['ExecutionNotFound', 'ExecutionClosed', 'NodeNotFound', 'NodeNotWaiting', 'WorkerUnavailable'],
      handle: ({ params: { id, node }, body, identity }) =>
        approve(context, identity, { execution_id: id, node, ...body }),
    }),
    ...(['retry', 'skip'] as const).map((action) =>
      route({
        method: 'post',
        path: `/api/executions/:id/nodes/:node/${action}`,
        summary: NODE_ACTIONS[action],
        role: 'operator',
        params: nodeParams,
        body: reasonBody,
        body_optional: true,
        answers: { 200: { says: 'How the node stands since.', schema: steeredNode } },
        refusals: ['ExecutionNotFound', 'ExecutionClosed', 'NodeNotFound', 'NodeNotRetryable', 'WorkerUnavailable'],
        handle: ({ params, body, identity }) => steerNode(context, identity, { ...params, ...body, action }),
      }),
    ),
    ...executionRoutes(context),
  ];
}

function executionRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'post',
      path: '/api/executions/:id/messages',
      summary: 'A message for a `wait_for_signal` node, of now or of later',
      description: 'At most 64 KiB.',
      role: 'operator',
      params: idParams,
      body: messageBody,
      answers: { 202: { says: 'Temporal has it.', schema: acceptedMessage } },
      refusals: ['ExecutionNotFound', 'ExecutionClosed', 'TemporalUnavailable'],
      handle: async ({ params, body, identity }, reply) =>
        reply.code(202).send(await deliver(context, identity, { ...params, ...body })),
    }),
    route({
      method: 'post',
      path: '/api/executions/:id/rerun',
      summary: 'Run an execution again that has ended',
      description: 'From the node named, or from what failed or never ran. A `dry_run` only says what would be.',
      role: 'operator',
      params: idParams,
      body: rerunBody,
      body_optional: true,
      answers: {
        200: { says: 'What a `dry_run` would do; or the same rerun was started before.', schema: rerunAnswer },
        201: { says: 'It was started.', schema: rerunAnswer },
      },
      refusals: [
        ...([
          'ExecutionNotFound',
          'ExecutionOpen',
          'ExecutionExists',
          'NodeNotFound',
          'LiveNotConfirmed',
          'OrderUnheard',
        ] as const),
        ...(['EmergencyHalted', 'EmergencyUnreachable', 'WorkerUnavailable'] as const),
      ],
      handle: async ({ params, body, identity }, reply) => {
        const { started, answer } = await rerun(context, identity, params.id, body);
        return reply.code(started ? 201 : 200).send(answer);
      },
    }),
  ];
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

interface NodeOrder extends z.infer<typeof nodeParams>, z.infer<typeof reasonBody> {
  readonly action: 'retry' | 'skip';
}

async function steerNode(context: ApiContext, identity: Identity, order: NodeOrder): Promise<Steered> {
  const { id, node, action, reason } = order;
  await assertMaySteer(context, identity, id);
  const { client, log } = context;
  const command = { node, actor: identity.subject, ...present({ reason }) };
  const status = await (action === 'retry' ? client.retryNode(id, command) : client.skipNode(id, command));
  log.info({ execution_id: id, action, ...command }, 'node_command');
  return { execution_id: id, node, status };
}

interface MessageOrder extends z.infer<typeof messageBody> {
  readonly id: string;
}

async function deliver(context: ApiContext, identity: Identity, { id, name, payload = null }: MessageOrder) {
  await assertMaySteer(context, identity, id);
  await context.client.deliverMessage(id, { name, payload });
  context.log.info({ execution_id: id, name, actor: identity.subject }, 'message_delivered');
  return { execution_id: id, name, accepted: true };
}

async function rerun(context: ApiContext, identity: Identity, id: string, options: z.infer<typeof rerunBody>) {
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
