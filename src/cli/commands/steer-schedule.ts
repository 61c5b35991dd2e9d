/** Commands on a deployed graph: pause, unpause, trigger, backfill, undeploy. */
import { Option, type Command } from 'commander';
import { OVERLAPS, type Overlap } from '../../graph/overlap';
import { present } from '../../json';
import type { BackfillAnswer, Deployment, HoldfastClient } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { uiOf, type Io, type Ui } from '../io';
import { addInputOptions, startInputs, type InputOptions } from '../start-inputs';
import { sayStarted } from './run';

const WORKFLOW = 'id of a deployed graph';

export function addPause(program: Command, io: Io): void {
  program
    .command('pause')
    .description('pause a schedule: nothing is started by the clock any more; what runs goes on')
    .argument('<workflow>', WORKFLOW)
    .option('--reason <text>', 'kept with the schedule')
    .addHelpText('after', '\nExample:\n  $ holdfast pause arb_btc_001 --reason "over the weekend"')
    .action((id: string, { reason = `paused by ${io.actor}` }: { reason?: string }, command: Command) =>
      steer(io, command, id, (client) => client.pauseDeployment(id, reason)),
    );
}

export function addUnpause(program: Command, io: Io): void {
  program
    .command('unpause')
    .description('let a paused schedule start executions again; what was due meanwhile is not made up for')
    .argument('<workflow>', WORKFLOW)
    .option('--reason <text>', 'kept with the schedule')
    .addHelpText('after', '\nExample:\n  $ holdfast unpause arb_btc_001')
    .action((id: string, { reason = `unpaused by ${io.actor}` }: { reason?: string }, command: Command) =>
      steer(io, command, id, (client) => client.resumeDeployment(id, reason)),
    );
}

async function steer(
  io: Io,
  command: Command,
  id: string,
  act: (client: HoldfastClient) => Promise<void>,
): Promise<void> {
  const ui = uiOf(command, io);
  await withClient(io, async (client) => {
    await act(client);
    show(await client.getDeployment(id), ui);
  });
}

function show({ workflow_id, paused, note, next_run_at }: Deployment, ui: Ui): void {
  if (ui.json) {
    ui.data(present({ workflow_id, paused, note, next_run_at }));
    return;
  }
  const next = next_run_at === undefined ? 'runs when asked' : `next run ${next_run_at}`;
  ui.line(`${workflow_id} is ${paused ? ui.paint('busy', 'paused') : `${ui.paint('good', 'active')}, ${next}`}.`);
}

export function addTrigger(program: Command, io: Io): void {
  const command = program
    .command('trigger')
    .description('start one execution of a deployed graph now, beside its schedule and whether it is paused or not')
    .argument('<workflow>', WORKFLOW)
    .option('--id <execution>', 'start under this id; the same start again is answered with what there is');
  addInputOptions(command)
    .addHelpText('after', '\nExample:\n  $ holdfast trigger arb_btc_001 --input quote_amount=50')
    .action(async (id: string, options: InputOptions & { id?: string }, self: Command) => {
      const ui = uiOf(self, io);
      await withClient(io, async (client) => {
        const input = await client.deployedInput(id);
        const inputs = startInputs(input.graph, options);
        const started = await client.startExecution(input, present({ execution_id: options.id, inputs }));
        sayStarted(started, input, ui);
      });
    });
}

interface BackfillOptions {
  readonly from: string;
  readonly to: string;
  readonly overlap?: Overlap;
}

export function addBackfill(program: Command, io: Io): void {
  program
    .command('backfill')
    .description('start now what a schedule would have started in a past range, both ends included')
    .argument('<workflow>', WORKFLOW)
    .requiredOption('--from <instant>', 'ISO 8601 with its zone, such as 2026-03-01T09:00:00Z')
    .requiredOption('--to <instant>', 'the same, not in the future')
    .addOption(new Option('--overlap <policy>', 'default buffer_all, one after another').choices(OVERLAPS))
    .addHelpText(
      'after',
      '\nExample:\n  $ holdfast backfill arb_btc_001 --from 2026-03-01T00:00:00Z --to 2026-03-01T06:00:00Z',
    )
    .action(async (id: string, { from, to, overlap }: BackfillOptions, command: Command) => {
      const ui = uiOf(command, io);
      const range = { from, to, ...present({ overlap }) };
      const answer = await withClient(io, (client) => client.backfillDeployment(id, range));
      if (ui.json) ui.data(answer);
      else ui.line(backfillLine(answer));
    });
}

function backfillLine({ from, to, overlap, instants, left_out }: BackfillAnswer): string {
  const before = left_out === 0 ? '' : `, ${left_out} left out because they have run`;
  return `${instants} to start (${overlap}) from ${from} to ${to}${before}.`;
}

export function addUndeploy(program: Command, io: Io): void {
  program
    .command('undeploy')
    .description('withdraw a graph: its schedule is deleted, what runs goes on')
    .argument('<workflow>', WORKFLOW)
    .addHelpText('after', '\nExample:\n  $ holdfast undeploy arb_btc_001')
    .action(async (id: string, _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      await withClient(io, (client) => client.undeploy(id));
      if (ui.json) ui.data({ workflow_id: id, undeployed: true });
      else ui.line(`${id} is no longer deployed.`);
    });
}
