/** REST: what the nodes of a deployed graph came to. */
import { z } from 'zod';
import { present } from '../json';
import { isNotFound } from '../temporal-client/executions';
import type { ExecutionSummary, HoldfastClient } from '../temporal-client/holdfast-client';
import { nodeFigures, type NodeFigures } from '../temporal-client/node-figures';
import type { TimelineEntry } from '../temporal-client/timeline';
import { assertMaySee, maySee } from './access';
import type { ApiContext } from './api-executions';
import { idParams } from './query';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

const count = z.number().int().min(0);
const figures = z
  .object({
    runs: count.meta({ description: 'Turns that ended.' }),
    failures: count,
    mean_ms: count.exactOptional().meta({ description: 'Of an attempt that succeeded.' }),
    branches: z
      .record(z.string(), count)
      .exactOptional()
      .meta({ description: 'How often a condition went which way.' }),
  })
  .meta({ id: 'NodeFigures' }) satisfies z.ZodType<NodeFigures>;
const figuresAnswer = z.object({
  workflow_id: z.string(),
  graph_version: z.string(),
  executions: count.meta({ description: 'Over how many.' }),
  from: z.iso.datetime().exactOptional().meta({ description: 'When the earliest of them began.' }),
  to: z.iso.datetime().exactOptional().meta({ description: 'When the latest of them ended.' }),
  nodes: z.record(z.string(), figures).meta({ description: 'By node, `each/price` inside loops.' }),
});

/** Each is a history to read. */
const MOST_EXECUTIONS = 30;
const AT_ONCE = 4;
/** Of graphs with thousands of nodes fewer executions say enough. */
const MOST_TURNS = 50_000;

export function figureRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'get',
      path: '/api/workflows/:id/figures',
      summary: 'What its nodes came to: runs, failures, mean time, ways taken',
      description:
        'Over the latest executions of the deployed version that have ended, at most 30, of each its last run, from Temporal’s history. What runs inside the execution itself (loops, waits, approvals) is not in there.',
      role: 'viewer',
      params: idParams,
      answers: { 200: { says: 'The figures.', schema: figuresAnswer } },
      refusals: ['WorkflowNotFound', 'TemporalUnavailable'],
      handle: ({ params, identity }) => figuresOf(context, identity, params.id),
    }),
  ];
}

async function figuresOf({ client }: ApiContext, identity: Identity, id: string) {
  const { workflow_id, graph, graph_version } = await client.getDeployment(id);
  assertMaySee(identity, graph);
  const filter = { workflow_id, closed_since: 0, limit: MOST_EXECUTIONS };
  const { executions } = await client.listExecutions(filter);
  const own = executions.filter((each) => each.graph_version === graph_version && maySee(identity, each));
  const { read, turns } = await timelinesOf(client, own);
  const from = read.map(({ started_at }) => started_at).sort()[0];
  const to = read
    .flatMap(({ closed_at }) => closed_at ?? [])
    .sort()
    .at(-1);
  return { workflow_id, graph_version, executions: read.length, ...present({ from, to }), nodes: nodeFigures(turns) };
}

/** The latest first, until there are turns enough. */
async function timelinesOf(client: HoldfastClient, executions: readonly ExecutionSummary[]) {
  const read: ExecutionSummary[] = [];
  const turns: TimelineEntry[] = [];
  for (let at = 0; at < executions.length && turns.length < MOST_TURNS; at += AT_ONCE) {
    const some = executions.slice(at, at + AT_ONCE);
    const runs = await Promise.all(some.map((each) => entriesOf(client, each)));
    for (const [index, entries] of runs.entries()) {
      const execution = some[index];
      if (entries === undefined || execution === undefined) continue;
      read.push(execution);
      for (const entry of entries) turns.push(entry);
    }
  }
  return { read, turns };
}

/** Undefined for one whose history Temporal has removed since it was listed. */
async function entriesOf(client: HoldfastClient, { execution_id, run_id }: ExecutionSummary) {
  try {
    return (await client.runTimeline(execution_id, run_id)).entries;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
