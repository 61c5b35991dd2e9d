/** REST: deployed graphs, node kinds. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { NodeKinds } from '../activities/kinds';
import { HoldfastError } from '../errors';
import { OVERLAPS } from '../graph/overlap';
import { present } from '../json';
import type { Deployment, HoldfastClient } from '../temporal-client/holdfast-client';
import { assertMaySee, assertRole, isRestricted, maySee } from './access';
import { idParams, reasonBody, start, startBody, type ApiContext } from './api-executions';
import { identityOf } from './http';
import { parse } from './problem';
import { prepareDocument } from './preparation';
import type { Identity } from './tokens';

const graphBody = z.record(z.string(), z.unknown());
const deployQuery = z.strictObject({ trigger_now: z.enum(['true', 'false']).optional() });

const backfillBody = z.strictObject({ from: z.string(), to: z.string(), overlap: z.enum(OVERLAPS).optional() });

export function addWorkflows(app: FastifyInstance, context: ApiContext): void {
  const { client } = context;
  app.get('/api/workflows', async (request) => {
    const identity = identityOf(request);
    const deployments = await client.listDeployments();
    return { workflows: deployments.filter(({ graph }) => maySee(identity, graph)) };
  });
  app.get('/api/workflows/:id', async (request) => {
    const deployment = await seen(client, request);
    const open = await client.listExecutions({ workflow_id: deployment.workflow_id, open: true });
    const identity = identityOf(request);
    return { ...deployment, running_executions: open.executions.filter((each) => maySee(identity, each)) };
  });
  app.put('/api/workflows/:id', (request) => deploy(context, request));
  app.delete('/api/workflows/:id', async (request, reply) => {
    assertRole(identityOf(request), 'admin');
    const { workflow_id } = await seen(client, request);
    await client.undeploy(workflow_id);
    log(context, request, workflow_id, 'delete');
    return reply.code(204).send();
  });
  app.post('/api/workflows/:id/executions', async (request, reply) => {
    const { workflow_id } = await seen(client, request);
    const options = parse(startBody, request.body ?? {});
    const started = await start(context, identityOf(request), await client.deployedInput(workflow_id), options);
    return reply.code(started.already_started === true ? 200 : 201).send(started);
  });
  app.post('/api/workflows/:id/backfill', async (request) => {
    assertRole(identityOf(request), 'operator');
    const { workflow_id } = await seen(client, request);
    const answer = await client.backfillDeployment(workflow_id, present(parse(backfillBody, request.body)));
    log(context, request, workflow_id, 'backfill');
    return answer;
  });
  for (const action of ['pause', 'resume', 'trigger'] as const) {
    app.post(`/api/workflows/:id/${action}`, (request) => steer(context, request, action));
  }
}

async function seen(client: HoldfastClient, request: FastifyRequest): Promise<Deployment> {
  const deployment = await client.getDeployment(parse(idParams, request.params).id);
  assertMaySee(identityOf(request), deployment.graph);
  return deployment;
}

async function deploy(context: ApiContext, request: FastifyRequest): Promise<Deployment> {
  const identity = identityOf(request);
  assertRole(identity, 'admin');
  const { id } = parse(idParams, request.params);
  const { trigger_now } = parse(deployQuery, request.query);
  const input = prepareDocument(parse(graphBody, request.body), context.kinds);
  if (input.graph.id !== id) throw new HoldfastError('BadRequest', `The graph’s id is ${input.graph.id}, not ${id}.`);
  assertMaySee(identity, input.graph);
  if (isRestricted(identity)) await assertOwnsExisting(context.client, identity, id);
  const deployment = await context.client.deploy(input, { trigger_now: trigger_now === 'true' });
  log(context, request, id, 'deploy');
  return deployment;
}

/** A graph that names one's own bot must not replace somebody else's. */
async function assertOwnsExisting(client: HoldfastClient, identity: Identity, id: string): Promise<void> {
  try {
    assertMaySee(identity, (await client.getDeployment(id)).graph);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'WorkflowNotFound') throw error;
  }
}

async function steer(context: ApiContext, request: FastifyRequest, action: 'pause' | 'resume' | 'trigger') {
  const identity = identityOf(request);
  assertRole(identity, 'operator');
  const { workflow_id } = await seen(context.client, request);
  const { reason = `${action} by ${identity.subject}` } = parse(reasonBody, request.body ?? {});
  if (action === 'pause') await context.client.pauseDeployment(workflow_id, reason);
  if (action === 'resume') await context.client.resumeDeployment(workflow_id, reason);
  const started = action === 'trigger' ? await context.client.triggerDeployment(workflow_id) : {};
  log(context, request, workflow_id, action);
  return { workflow_id, action, accepted: true, ...started };
}

function log(context: ApiContext, request: FastifyRequest, workflow_id: string, action: string): void {
  context.log.info({ workflow_id, action, actor: identityOf(request).subject }, 'workflow_command');
}

export function addNodeKinds(app: FastifyInstance, catalogue: NodeKinds): void {
  const kinds = [...catalogue.values()].map(({ type, family, effect, description, fields, outputs, branches }) => ({
    type,
    family,
    effect,
    description,
    fields,
    outputs,
    branches,
  }));
  app.get('/api/node-kinds', () => ({ kinds }));
}
