import type { Command } from 'commander';
import { present } from '../../json';
import type { RerunAnswer } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { uiOf, type Io, type Ui } from '../io';
import { followToEnd } from './run';

interface Options {
  readonly from?: string;
  readonly id?: string;
  readonly live?: boolean;
  readonly dryRun?: boolean;
  readonly follow?: boolean;
}

/** Names per line of the answer. */
const NAMED = 20;

export function addRerun(program: Command, io: Io): void {
  program
    .command('rerun')
    .description('run an execution that ended again: a new one takes over what its nodes gave and runs the rest')
    .argument('<execution>', 'id of the execution that ended')
    .option('--from <node>', 'run this node and what depends on it (default: what failed or never ran)')
    .option('--id <execution>', 'start under this id; the same rerun again is answered with what there is')
    .option('--live', 'yes, trade with real money again')
    .option('--dry-run', 'say what would run, and start nothing')
    .option('--follow', 'print its events until it ends; Ctrl-C stops the printing, not the execution')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast rerun exec_first_graph_1a2b3c4d --dry-run\n' +
        '  $ holdfast rerun exec_first_graph_1a2b3c4d --from spread --follow',
    )
    .action(async (id: string, options: Options, command: Command) => {
      const ui = uiOf(command, io);
      await withClient(io, async (client) => {
        const { from, id: execution_id, live, dryRun: dry_run } = options;
        const answer = await client.rerunExecution(id, present({ from, execution_id, live, dry_run }));
        say(id, answer, { ui, dry: dry_run === true });
        if (options.follow === true && dry_run !== true) await followToEnd(client, answer.execution_id, { ui, io });
      });
    });
}

function say(of: string, answer: RerunAnswer, { ui, dry }: { ui: Ui; dry: boolean }): void {
  const { execution_id, already_started, adopted, again, dropped } = answer;
  if (ui.json) {
    ui.data(dry ? { rerun_of: of, dry_run: true, adopted, again, dropped } : { rerun_of: of, ...answer });
    return;
  }
  const what = already_started === true ? 'was already started, by the same request: it runs' : 'runs';
  ui.line(dry ? `A rerun would run ${of} again:` : `${ui.paint('strong', execution_id)} ${what} ${of} again`);
  ui.line(`adopted  ${names(adopted)}`);
  ui.line(`again    ${names(again)}`);
  if (dropped.length > 0) ui.line(`dropped  ${names(dropped)} (again only because what they gave is no longer held)`);
}

function names(nodes: readonly string[]): string {
  const more = nodes.length - NAMED;
  const shown = nodes.slice(0, NAMED).join(', ') || 'nothing';
  return `${nodes.length}: ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
