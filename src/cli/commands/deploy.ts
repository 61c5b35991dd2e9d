import type { Command } from 'commander';
import { present } from '../../json';
import type { Deployment } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { prepareGraphFile } from '../graph-file';
import { uiOf, type Io, type Ui } from '../io';
import { kindsFor } from '../kinds';
import { modeOf } from './run';

interface Options {
  readonly triggerNow?: boolean;
  readonly live?: boolean;
}

export function addDeploy(program: Command, io: Io): void {
  program
    .command('deploy')
    .description('create or update the schedule of each graph; all are checked before any is deployed')
    .argument('<file...>', 'graphs in JSON or YAML')
    .option('--trigger-now', 'also start one execution of each at once')
    .option('--live', 'yes, what it starts trades with real money: at live venue profiles, and at no others')
    .addHelpText('after', '\nExample:\n  $ holdfast deploy examples/trading_arb_btc.json --trigger-now')
    .action(async (files: string[], options: Options, command: Command) => {
      const ui = uiOf(command, io);
      const kinds = kindsFor(command, io);
      const prepared = files.map((file) => prepareGraphFile(file, kinds, modeOf(options)));
      await withClient(io, async (client) => {
        for (const { prepared: input, report } of prepared) {
          for (const { message } of report) ui.note(message);
          show(await client.deploy(input, { trigger_now: options.triggerNow === true }), ui);
        }
      });
    });
}

function show(deployment: Deployment, ui: Ui): void {
  const { workflow_id, name, graph_version, paused, next_run_at } = deployment;
  if (ui.json) {
    ui.data(present({ workflow_id, name, graph_version, paused, next_run_at }));
    return;
  }
  const next = next_run_at === undefined ? 'runs when asked' : `next run ${next_run_at}`;
  ui.line(`${ui.paint('good', 'deployed')}  ${workflow_id}, version ${graph_version}, ${paused ? 'paused' : next}`);
}
