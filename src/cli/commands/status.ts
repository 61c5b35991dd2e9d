import type { Command } from 'commander';
import { HoldfastError } from '../../errors';
import { present } from '../../json';
import type { ExecutionDescription, ExecutionSummary, HoldfastClient } from '../../temporal-client/holdfast-client';
import type { DeskStatus, ExecutionStatus, NodeStatus } from '../../workflows/messages';
import { withClient } from '../client';
import { uiOf, type Io, type Ui } from '../io';
import { brief, span, table } from '../table';
import { executionTable, toneOf } from './list';

export function addStatus(program: Command, io: Io): void {
  program
    .command('status')
    .description('show the emergency desk and what is open, or one execution with its nodes')
    .argument('[execution]', 'id of an execution')
    .addHelpText('after', '\nExamples:\n  $ holdfast status\n  $ holdfast status exec_first_graph_1a2b3c4d --json')
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      await withClient(io, (client) => (id === undefined ? showDesk(client, ui) : showExecution(client, id, ui)));
    });
}

/** What is open is shown also when the desk is silent: that is when one looks. */
async function showDesk(client: HoldfastClient, ui: Ui): Promise<void> {
  const [desk, { executions }] = await Promise.all([
    client.deskStatus().catch(silence),
    client.listExecutions({ open: true, limit: 100 }),
  ]);
  if (ui.json) ui.data({ desk: desk instanceof HoldfastError ? null : desk, executions });
  else showOpen(desk, executions, ui);
  if (desk instanceof HoldfastError) throw desk;
}

function silence(error: unknown): HoldfastError {
  if (error instanceof HoldfastError && error.code === 'EmergencyUnreachable') return error;
  throw error;
}

function showOpen(desk: DeskStatus | HoldfastError, executions: readonly ExecutionSummary[], ui: Ui): void {
  ui.line(desk instanceof HoldfastError ? `desk  ${ui.paint('bad', 'does not answer')}` : deskLine(desk, ui));
  ui.line();
  if (executions.length === 0) {
    ui.line('No open executions.');
    return;
  }
  for (const line of executionTable(executions, ui)) ui.line(line);
}

export function deskLine({ desk_id, scope, state, reason, actor, since }: DeskStatus, ui: Ui): string {
  const head = `desk  ${desk_id}, ${scope}: ${ui.paint(state === 'normal' ? 'good' : 'bad', state)}`;
  return state === 'normal' ? head : `${head} since ${since} by ${actor}: ${reason}`;
}

async function showExecution(client: HoldfastClient, id: string, ui: Ui): Promise<void> {
  const [description, status] = await Promise.all([client.describeExecution(id), client.executionStatus(id)]);
  if (ui.json) {
    ui.data({ ...status, ...present({ closing: description.closing }) });
    return;
  }
  for (const line of headOf(description, status, ui)) ui.line(line);
  ui.line();
  for (const line of nodeTable(status, ui)) ui.line(line);
}

function headOf(description: ExecutionDescription, status: ExecutionStatus, ui: Ui): string[] {
  const { execution_id, workflow_id, graph_version, mode, bot_id, strategy_id, halts, started_at } = status;
  const state = description.closing?.status ?? status.state;
  const { error = status.error } = description.closing ?? {};
  return [
    `${ui.paint('strong', execution_id)}  ${ui.paint(toneOf(state), state)}  ${mode}`,
    `graph ${workflow_id}, version ${graph_version}, bot ${bot_id ?? '-'}, strategy ${strategy_id ?? '-'}`,
    `started ${started_at}${description.closing ? `, took ${span(description.closing.duration_ms)}` : ''}`,
    ...halts.map((halt) => `halted by ${halt.scope} since ${halt.since}: ${halt.reason}`),
    ...(error === undefined ? [] : [`error: ${error}`]),
  ];
}

function nodeTable({ nodes }: ExecutionStatus, ui: Ui): string[] {
  const rows = Object.entries(nodes).map(([id, node]) => [
    id,
    node.type,
    { text: node.state, paint: (text: string) => ui.paint(toneOf(node.state), text) },
    node.attempt === undefined ? '-' : String(node.attempt),
    node.duration_ms === undefined ? '-' : `${Math.round(node.duration_ms)} ms`,
    resultOf(node),
  ]);
  return table(['NODE', 'KIND', 'STATE', 'ATTEMPT', 'TIME', 'RESULT'], rows);
}

function resultOf(node: NodeStatus): string {
  if (node.error !== undefined) return `${node.error_type ?? 'error'}: ${node.error}`;
  if (node.reason !== undefined) return node.reason;
  const outputs = node.outputs === undefined ? '' : brief(node.outputs);
  return node.branch === undefined ? outputs : `→ ${node.branch} ${outputs}`.trimEnd();
}
