import { Option, type Command } from 'commander';
import { present } from '../../json';
import type { ExecutionFilter, ExecutionSummary, HoldfastClient } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { uiOf, type Io, type Tone, type Ui } from '../io';
import { span, table } from '../table';
import { wholeOption } from '../whole-option';

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
    .option('--limit <count>', 'at most so many, 1 to 1000', wholeOption(1, 1_000), 20)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast list --state halted\n  $ holdfast list --bot bot_001 --limit 5 --json',
    )
    .action(async (options: Options, command: Command) => {
      const ui = uiOf(command, io);
      const { page, deployed } = await withClient(io, (client) => listed(client, options));
      if (ui.json) {
        ui.data({ ...page, executions: page.executions.map((each) => withDeployed(each, deployed)) });
        return;
      }
      if (page.executions.length === 0) {
        ui.line('No executions.');
        return;
      }
      for (const line of executionTable(page.executions, ui, deployed)) ui.line(line);
      if (page.next_page !== undefined) ui.note(`There are more; --limit shows up to 1000.`);
    });
}

/** The version deployed now, by graph. */
type Deployed = ReadonlyMap<string, string | undefined>;

async function listed(client: HoldfastClient, options: Options) {
  const [page, deployed] = await Promise.all([client.listExecutions(filterOf(options)), client.deployedVersions()]);
  return { page, deployed };
}

/** An execution keeps the graph it was started with, so after a deployment open ones may run another version. */
function runsOther(each: ExecutionSummary, deployed: Deployed): boolean {
  const version = deployed.get(each.workflow_id);
  return each.closed_at === undefined && version !== undefined && version !== each.graph_version;
}

function withDeployed(each: ExecutionSummary, deployed: Deployed) {
  const deployed_version = deployed.get(each.workflow_id);
  return { ...each, ...present({ deployed_version }), ...(runsOther(each, deployed) ? { other_version: true } : {}) };
}

function filterOf({ workflow, bot, strategy, state, limit }: Options): ExecutionFilter {
  return { limit, ...present({ workflow_id: workflow, bot_id: bot, strategy_id: strategy, state }) };
}

export function toneOf(state: string): Tone {
  if (state === 'completed') return 'good';
  if (state === 'failed' || state === 'terminated' || state === 'timed_out') return 'bad';
  return state === 'running' || state === 'halted' || state === 'waiting' ? 'busy' : 'quiet';
}

/** A star marks an open execution of another version than the deployed one; a line below the table says so. */
export function executionTable(
  executions: readonly ExecutionSummary[],
  ui: Ui,
  deployed: Deployed = new Map(),
): string[] {
  const header = ['EXECUTION', 'GRAPH', 'VERSION', 'MODE', 'STATE', 'BOT', 'STRATEGY', 'AGE'];
  const rows = executions.map((each) => [
    each.execution_id,
    each.workflow_id,
    each.graph_version + (runsOther(each, deployed) ? '*' : ''),
    each.mode,
    { text: each.state, paint: (text: string) => ui.paint(toneOf(each.state), text) },
    each.bot_id ?? '-',
    each.strategy_id ?? '-',
    span(Date.now() - Date.parse(each.started_at)),
  ]);
  const anyOther = executions.some((each) => runsOther(each, deployed));
  return [...table(header, rows), ...(anyOther ? ['* not the version that is deployed now'] : [])];
}
