import type { Command } from 'commander';
import { present } from '../../json';
import type { Deployment, ExecutionSummary, HoldfastClient } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { uiOf, type Io, type Ui } from '../io';
import { table } from '../table';
import { executionTable } from './list';

export function addSchedules(program: Command, io: Io): void {
  program
    .command('schedules')
    .description('list the deployed graphs with what starts them, or show one with its next and running executions')
    .argument('[workflow]', 'id of a deployed graph')
    .addHelpText('after', '\nExamples:\n  $ holdfast schedules\n  $ holdfast schedules arb_btc_001 --json')
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      await withClient(io, (client) => (id === undefined ? showAll(client, ui) : showOne(client, id, ui)));
    });
}

async function showAll(client: HoldfastClient, ui: Ui): Promise<void> {
  const deployments = await client.listDeployments();
  if (ui.json) {
    ui.data({ deployments: deployments.map(dataOf) });
    return;
  }
  if (deployments.length === 0) {
    ui.line('Nothing is deployed.');
    return;
  }
  const rows = deployments.map((each) => [
    each.workflow_id,
    each.graph_version,
    { text: stateOf(each), paint: (text: string) => ui.paint(each.paused ? 'busy' : 'good', text) },
    each.overlap,
    each.next_run_at ?? '-',
    triggersOf(each).join('; ') || '-',
  ]);
  for (const line of table(['GRAPH', 'VERSION', 'STATE', 'OVERLAP', 'NEXT RUN', 'TRIGGERS'], rows)) ui.line(line);
}

async function showOne(client: HoldfastClient, id: string, ui: Ui): Promise<void> {
  const [deployment, { executions }] = await Promise.all([
    client.getDeployment(id),
    client.listExecutions({ workflow_id: id, open: true }),
  ]);
  if (ui.json) ui.data({ ...dataOf(deployment), running_executions: executions });
  else for (const line of linesOf(deployment, executions, ui)) ui.line(line);
}

/** Without the graph, which is as long as its file. */
function dataOf({ graph, ...deployment }: Deployment) {
  return { ...deployment, triggers: graph.triggers ?? {} };
}

function stateOf({ paused, graph }: Deployment): string {
  if (paused) return 'paused';
  return graph.triggers === undefined ? 'by hand' : 'active';
}

function triggersOf({ graph, time_zone }: Deployment): string[] {
  return Object.values(graph.triggers ?? {}).map(({ every, offset, cron }) =>
    cron === undefined
      ? `every ${String(every)}${offset === undefined ? '' : ` + ${offset}`}`
      : `${cron} (${time_zone})`,
  );
}

function linesOf(deployment: Deployment, running: readonly ExecutionSummary[], ui: Ui): string[] {
  const { workflow_id, graph_version, overlap, note, runs, next_runs, recent_executions } = deployment;
  const because = present({ note }).note;
  return [
    `${ui.paint('strong', workflow_id)}  ${ui.paint(deployment.paused ? 'busy' : 'good', stateOf(deployment))}, version ${graph_version}`,
    ...(because === undefined ? [] : [`note: ${because}`]),
    ...triggersOf(deployment).map((trigger) => `trigger: ${trigger}`),
    `overlap ${overlap}; ${runs.started} started, ${runs.skipped} skipped, ${runs.missed} missed`,
    ...next_runs.map((time) => `next ${time}`),
    ...recent_executions.map((id) => `recent ${id}`),
    '',
    ...(running.length === 0
      ? ['No open executions.']
      : executionTable(running, ui, new Map([[workflow_id, graph_version]]))),
  ];
}
