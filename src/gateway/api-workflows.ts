/** REST: deployed graphs, node kinds. */
import { z } from 'zod';
import type { NodeKinds } from '../activities/kinds';
import { HoldfastError } from '../errors';
import { OVERLAPS } from '../graph/overlap';
import { present } from '../json';
import type { Deployment, HoldfastClient } from '../temporal-client/holdfast-client';
import { assertMaySee, isRestricted, maySee } from './access';
import {
  acceptedSchedule,
  backfillAnswer,
  deployment,
  deploymentAnswer,
  deployments,
  graphDocument,
  nodeKinds,
} from './answers';
import {
  reasonBody,
  start,
  startBody,
  STARTED,
  START_REFUSALS,
  type ApiContext,
  type AskedStart,
} from './api-executions';
import { prepareDocument } from './preparation';
import { idSchema } from './protocol';
import { idParams, pageOf } from './query';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

const listQuery = z.strictObject({ ...pageOf({ most: 500, usual: 100 }), page: idSchema.optional() });
const flag = z.enum(['true', 'false']).optional();
const deployQuery = z.strictObject({ trigger_now: flag, live: flag });
const backfillBody = z.strictObject({ from: z.string(), to: z.string(), overlap: z.enum(OVERLAPS).optional() });

export function workflowRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [...readingRoutes(context), ...deployRoutes(context), ...scheduleRoutes(context)];
}

function readingRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'get',
      path: '/api/workflows',
      summary: 'List deployed graphs, by id',
      role: 'viewer',
      query: listQuery,
      answers: { 200: { says: 'One page.', schema: deployments } },
      refusals: ['TemporalUnavailable'],
      handle: ({ query, identity }) => list(context, identity, query),
    }),
    route({
      method: 'get',
      path: '/api/workflows/:id',
      summary: 'One deployed graph, with the executions that run',
      role: 'viewer',
      params: idParams,
      answers: { 200: { says: 'The deployment.', schema: deploymentAnswer } },
      refusals: ['WorkflowNotFound', 'TemporalUnavailable'],
      handle: async ({ params, identity }) => {
        const found = await seen(context.client, identity, params.id);
        const open = await context.client.listExecutions({ workflow_id: found.workflow_id, open: true });
        return { ...found, running_executions: open.executions.filter((each) => maySee(identity, each)) };
      },
    }),
  ];
}

function deployRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'put',
      path: '/api/workflows/:id',
      summary: 'Deploy a graph, or replace one',
      description:
        'Running executions go on with their version. `trigger_now=true` also starts one at once. `live=true`: what it starts trades with real money.',
      role: 'admin',
      params: idParams,
      query: deployQuery,
      body: graphDocument,
      answers: { 200: { says: 'It is deployed.', schema: deployment } },
      refusals: ['GraphInvalid', 'GraphTooLarge', 'InputsInvalid', 'TemporalUnavailable'],
      handle: ({ params, query, body, identity }) => deploy(context, identity, { ...params, ...query, body }),
    }),
    route({
      method: 'delete',
      path: '/api/workflows/:id',
      summary: 'Delete a deployment; running executions go on',
      role: 'admin',
      params: idParams,
      answers: { 204: { says: 'It is gone.' } },
      refusals: ['WorkflowNotFound', 'TemporalUnavailable'],
      handle: async ({ params, identity }, reply) => {
        const { workflow_id } = await seen(context.client, identity, params.id);
        await context.client.undeploy(workflow_id);
        log(context, identity, workflow_id, 'delete');
        return reply.code(204).send();
      },
    }),
    route({
      method: 'post',
      path: '/api/workflows/:id/executions',
      summary: 'Start a deployed graph',
      description:
        '`inputs` go over those of its triggers, name by name. Under an `execution_id` of the caller’s it starts once.',
      role: 'operator',
      params: idParams,
      body: startBody,
      body_optional: true,
      answers: STARTED,
      refusals: ['WorkflowNotFound', ...START_REFUSALS],
      handle: async ({ params, body, identity, traceparent }, reply) => {
        const started = await startDeployed(context, identity, params.id, { ...body, traceparent });
        return reply.code(started.already_started === true ? 200 : 201).send(started);
      },
    }),
  ];
}

const SCHEDULE_ACTIONS = {
  pause: 'Pause the schedule',
  resume: 'Let the schedule go on',
  trigger: 'Start one execution now, beside the schedule',
} as const;

function scheduleRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'post',
      path: '/api/workflows/:id/backfill',
      summary: 'Start what was due in a past range',
      role: 'operator',
      params: idParams,
      body: backfillBody,
      answers: { 200: { says: 'What was handed to the schedule.', schema: backfillAnswer } },
      refusals: ['WorkflowNotFound', 'EmergencyHalted', 'EmergencyUnreachable', 'TemporalUnavailable'],
      handle: async ({ params, body, identity }) => {
        const { workflow_id } = await seen(context.client, identity, params.id);
        const answer = await context.client.backfillDeployment(workflow_id, present(body));
        log(context, identity, workflow_id, 'backfill');
        return answer;
      },
    }),
    ...(['pause', 'resume', 'trigger'] as const).map((action) =>
      route({
        method: 'post',
        path: `/api/workflows/:id/${action}`,
        summary: SCHEDULE_ACTIONS[action],
        role: 'operator',
        params: idParams,
        body: reasonBody,
        body_optional: true,
        answers: { 200: { says: 'It is done.', schema: acceptedSchedule } },
        refusals: ['WorkflowNotFound', ...(action === 'trigger' ? START_REFUSALS : (['TemporalUnavailable'] as const))],
        handle: ({ params, body, identity }) => steer(context, identity, { ...params, ...body, action }),
      }),
    ),
  ];
}

async function list({ client }: ApiContext, identity: Identity, { limit, page }: z.infer<typeof listQuery>) {
  const { deployments: found, next_page } = await client.pageDeployments({ limit, ...present({ after: page }) });
  return { workflows: found.filter(({ graph }) => maySee(identity, graph)), ...present({ next_page }) };
}

async function seen(client: HoldfastClient, identity: Identity, id: string): Promise<Deployment> {
  const found = await client.getDeployment(id);
  assertMaySee(identity, found.graph);
  return found;
}

/** Throws `WorkflowNotFound`, and what a start throws. */
export async function startDeployed(context: ApiContext, identity: Identity, id: string, options: AskedStart) {
  const { workflow_id } = await seen(context.client, identity, id);
  return start(context, identity, await context.client.deployedInput(workflow_id), options);
}

interface DeployOrder extends z.infer<typeof deployQuery> {
  readonly id: string;
  readonly body: unknown;
}

async function deploy(context: ApiContext, identity: Identity, { id, body, trigger_now, live }: DeployOrder) {
  const input = prepareDocument(body, context.kinds, { live: live === 'true' });
  if (input.graph.id !== id) throw new HoldfastError('BadRequest', `The graph’s id is ${input.graph.id}, not ${id}.`);
  assertMaySee(identity, input.graph);
  if (isRestricted(identity)) await assertOwnsExisting(context.client, identity, id);
  const deployed = await context.client.deploy(input, { trigger_now: trigger_now === 'true' });
  log(context, identity, id, 'deploy');
  return deployed;
}

/** A graph that names one's own bot must not replace somebody else's. */
async function assertOwnsExisting(client: HoldfastClient, identity: Identity, id: string): Promise<void> {
  try {
    assertMaySee(identity, (await client.getDeployment(id)).graph);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'WorkflowNotFound') throw error;
  }
}

interface ScheduleOrder extends z.infer<typeof reasonBody> {
  readonly id: string;
  readonly action: keyof typeof SCHEDULE_ACTIONS;
}

async function steer(context: ApiContext, identity: Identity, order: ScheduleOrder) {
  const { id, action, reason = `${action} by ${identity.subject}` } = order;
  const { workflow_id } = await seen(context.client, identity, id);
  if (action === 'pause') await context.client.pauseDeployment(workflow_id, reason);
  if (action === 'resume') await context.client.resumeDeployment(workflow_id, reason);
  const started = action === 'trigger' ? await context.client.triggerDeployment(workflow_id) : {};
  log(context, identity, workflow_id, action);
  return { workflow_id, action, accepted: true, ...started };
}

function log(context: ApiContext, { subject }: Identity, workflow_id: string, action: string): void {
  context.log.info({ workflow_id, action, actor: subject }, 'workflow_command');
}

export function nodeKindRoutes(catalogue: NodeKinds): readonly DeclaredRoute[] {
  const kinds = [...catalogue.values()].map(({ type, family, effect, description, fields, outputs, branches }) => ({
    type,
    family,
    effect,
    description,
    fields,
    outputs,
    branches,
  }));
  return [
    route({
      method: 'get',
      path: '/api/node-kinds',
      summary: 'The catalogue of node kinds',
      role: 'viewer',
      answers: { 200: { says: 'All of them.', schema: nodeKinds } },
      handle: () => ({ kinds }),
    }),
  ];
}
