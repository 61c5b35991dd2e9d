import { InvalidArgumentError, Option, type Command } from 'commander';
import { present } from '../../json';
import type { ExecutionFilter, ExecutionSummary } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { uiOf, type Io, type Tone, type Ui } from '../io';
import { span, table } from '../table';

const STATES = [
  'running',
  'halted',
  'waiting',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed_out',
] as const satisfies readonly ExecutionSummary['state'][];

interface Options {
  readonly workflow?: string;
  readonly bot?: string;
  readonly strategy?: string;
  readonly state?: ExecutionSummary['state'];
  readonly limit: number;
}

export function addList(program: Command, io: Io): void {
  program
    .command('list')
    .description('list executions, newest first')
    .option('--workflow <id>', 'only of this graph')
    .option('--bot <id>', 'only of this bot')
    .option('--strategy <id>', 'only of this strategy')
    .addOption(new Option('--state <state>', 'only in this state').choices(STATES))
    .option('--limit <count>', 'at most so many, 1 to 1000', countOf, 20)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast list --state halted\n  $ holdfast list --bot bot_001 --limit 5 --json',
    )
    .action(async (options: Options, command: Command) => {
      const ui = uiOf(command, io);
      const page = await withClient(io, (client) => client.listExecutions(filterOf(options)));
      if (ui.json) {
        ui.data(page);
        return;
      }
      if (page.executions.length === 0) {
        ui.line('No executions.');
        return;
      }
      for (const line of executionTable(page.executions, ui)) ui.line(line);
      if (page.next_page !== undefined) ui.note(`There are more; --limit shows up to 1000.`);
    });
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1_000) throw new InvalidArgumentError('Use 1 to 1000.');
  return count;
}

function filterOf({ workflow, bot, strategy, state, limit }: Options): ExecutionFilter {
  return { limit, ...present({ workflow_id: workflow, bot_id: bot, strategy_id: strategy, state }) };
}

export function toneOf(state: string): Tone {
  if (state === 'completed') return 'good';
  if (state === 'failed' || state === 'terminated' || state === 'timed_out') return 'bad';
  return state === 'running' || state === 'halted' || state === 'waiting' ? 'busy' : 'quiet';
}

export function executionTable(executions: readonly ExecutionSummary[], ui: Ui): string[] {
  const header = ['EXECUTION', 'GRAPH', 'VERSION', 'MODE', 'STATE', 'BOT', 'STRATEGY', 'AGE'];
  const rows = executions.map((each) => [
    each.execution_id,
    each.workflow_id,
    each.graph_version,
    each.mode,
    { text: each.state, paint: (text: string) => ui.paint(toneOf(each.state), text) },
    each.bot_id ?? '-',
    each.strategy_id ?? '-',
    span(Date.now() - Date.parse(each.started_at)),
  ]);
  return table(header, rows);
}
