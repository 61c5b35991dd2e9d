import type { Command } from 'commander';
import { HoldfastError, type ErrorCode } from '../../errors';
import { present } from '../../json';
import type { ExecutionDescription, ExecutionSummary, HoldfastClient } from '../../temporal-client/holdfast-client';
import type { DeskStatus } from '../../emergency/decide';
import type { ExecutionStatus } from '../../workflows/messages';
import { adviceFor } from '../advice';
import { withClient } from '../client';
import { isNews, namedCancelLines } from '../cancels';
import { deskLine, timeOf } from '../desk-words';
import { namedFlattenLines } from '../flattens';
import { uiOf, type Io, type Ui } from '../io';
import { countsOf, countWords, nodeRows } from '../node-rows';
import { brief, span, table } from '../table';
import { watch } from '../watch';
import { executionTable, toneOf } from './list';

interface Options {
  readonly all?: boolean;
  readonly watch?: boolean;
}

const WATCH_EVERY_MS = 2_000;
/** Said and looked at again, instead of ending the watch. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['EmergencyUnreachable', 'TemporalUnavailable', 'WorkerUnavailable']);

export function addStatus(program: Command, io: Io): void {
  program
    .command('status')
    .description('show the emergency desk and what is open, or one execution with its nodes')
    .argument('[execution]', 'id of an execution')
    .option('--all', 'every node of every frame on a line of its own, however many')
    .option('--watch', 'show it again every two seconds, until Ctrl-C')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast status\n  $ holdfast status --watch\n  $ holdfast status exec_first_graph_1a2b3c4d --json',
    )
    .action(async (id: string | undefined, options: Options, command: Command) => {
      const ui = uiOf(command, io);
      const { all = false } = options;
      await withClient(io, async (client) => {
        const show = () => (id === undefined ? showDesk(client, ui) : showExecution(client, id, { ui, all }));
        if (options.watch === true) await watchIt(io, ui, show);
        else await show();
      });
    });
}

async function watchIt(io: Io, ui: Ui, show: () => Promise<void>): Promise<void> {
  await watch(io, { every_ms: WATCH_EVERY_MS, redraws: io.color && !ui.json }, async () => {
    if (!ui.json) ui.line(ui.paint('quiet', timeOf(Date.now())));
    try {
      await show();
    } catch (error) {
      if (!(error instanceof HoldfastError) || !PASSING.has(error.code)) throw error;
      ui.note(`${error.message} [${error.code}]`);
    }
    if (!ui.json) ui.line();
  });
}

/** What is open is shown also when the desk is silent: that is when one looks. */
async function showDesk(client: HoldfastClient, ui: Ui): Promise<void> {
  const [desk, { executions }, allCancels, allFlattens] = await Promise.all([
    client.deskStatus().catch(silence),
    client.listExecutions({ open: true, limit: 100 }),
    client.listCancels(),
    client.listFlattens(),
  ]);
  const cancels = allCancels.filter((each) => isNews(each, Date.now()));
  const flattens = allFlattens.filter((each) => isNews(each, Date.now()));
  if (ui.json) ui.data({ desk: desk instanceof HoldfastError ? null : desk, executions, cancels, flattens });
  else {
    showOpen(desk, executions, ui);
    for (const line of cancels.flatMap((each) => ['', ...namedCancelLines(each, ui)])) ui.line(line);
    for (const line of flattens.flatMap((each) => ['', ...namedFlattenLines(each, ui)])) ui.line(line);
  }
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

async function showExecution(client: HoldfastClient, id: string, { ui, all }: { ui: Ui; all: boolean }): Promise<void> {
  const [description, status] = await Promise.all([client.describeExecution(id), client.executionStatus(id)]);
  if (ui.json) {
    ui.data({ ...status, ...present({ closing: description.closing }) });
    return;
  }
  const parts = [
    headOf(description, status, ui),
    nodeTable(status, { ui, all }),
    outputTable(status),
    description.closing === undefined ? whatToDo(status, ui) : howToRerun(description),
  ];
  for (const line of parts.filter((part) => part.length > 0).flatMap((part, at) => (at === 0 ? part : ['', ...part])))
    ui.line(line);
}

function headOf(description: ExecutionDescription, status: ExecutionStatus, ui: Ui): string[] {
  const { execution_id, workflow_id, graph_version, mode, bot_id, strategy_id, halts, started_at } = status;
  const state = description.closing?.status ?? status.state;
  const { error = status.error } = description.closing ?? {};
  return [
    `${ui.paint('strong', execution_id)}  ${ui.paint(toneOf(state), state)}  ${mode}`,
    `graph ${workflow_id}, version ${graph_version}, bot ${bot_id ?? '-'}, strategy ${strategy_id ?? '-'}`,
    `started ${started_at}${description.closing ? `, took ${span(description.closing.duration_ms)}` : ''}`,
    `nodes ${countWords(countsOf(Object.entries(status.nodes)))}`,
    ...halts.map((halt) => `halted by ${halt.scope} since ${halt.since}: ${halt.reason}`),
    ...(error === undefined ? [] : [`error: ${error}`]),
  ];
}

function nodeTable(status: ExecutionStatus, { ui, all }: { ui: Ui; all: boolean }): string[] {
  const { rows, left_out } = nodeRows(status, { all });
  const cells = rows.map(({ name, type, state, worst, attempt = 0, duration_ms, result }) => [
    name,
    type,
    { text: state, paint: (text: string) => ui.paint(toneOf(worst), text) },
    attempt === 0 ? '-' : String(attempt),
    duration_ms === undefined ? '-' : `${Math.round(duration_ms)} ms`,
    result,
  ]);
  const hidden = countWords(left_out);
  return [
    ...table(['NODE', 'KIND', 'STATE', 'ATTEMPT', 'TIME', 'RESULT'], cells),
    ...(hidden === '' ? [] : [`not shown: ${hidden}; --all shows them`]),
  ];
}

function outputTable({ outputs = {} }: ExecutionStatus): string[] {
  const rows = Object.entries(outputs).map(([name, value]) => [name, brief(value, 200)]);
  return rows.length === 0 ? [] : table(['OUTPUT', 'VALUE'], rows);
}

function whatToDo(status: ExecutionStatus, ui: Ui): string[] {
  return adviceFor(status).flatMap(({ node, why, command }) => [`${ui.paint('strong', node)} ${why}`, `  ${command}`]);
}

function howToRerun({ execution_id, closing }: ExecutionDescription): string[] {
  return closing?.status === 'failed'
    ? [`\`holdfast rerun ${execution_id} --dry-run\` says what a rerun would do.`]
    : [];
}
