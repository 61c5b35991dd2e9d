import type { Command } from 'commander';
import { newCommandId } from '../../temporal-client/desk';
import { withClient } from '../client';
import { assertOk } from '../confirm';
import { addDeskOption, epochOf, nonEmpty, reasonFor } from '../desk-target';
import { deskLine, deskLines } from '../desk-words';
import { uiOf, type Io } from '../io';
import { lowerAtDesk } from '../lower-at-desk';

interface Options {
  readonly desk: string;
}

interface InitOptions extends Options {
  readonly currency: string;
  readonly timeZone: string;
  readonly reason?: string;
}

interface ApproveOptions extends Options {
  readonly reason?: string;
  readonly expectedEpoch?: number;
}

export function addDesk(program: Command, io: Io): void {
  const show = async (_options: Options, command: Command) => {
    const ui = uiOf(command, io);
    const { desk } = command.optsWithGlobals<Options>();
    const status = await withClient(io, (client) => client.deskStatus(desk));
    if (ui.json) ui.data(status);
    else for (const line of deskLines(status, ui)) ui.line(line);
  };
  const desk = addDeskOption(
    program.command('desk').description('show the emergency desk with every cause, set it up, or approve a resume'),
  )
    .addHelpText('after', '\nExamples:\n  $ holdfast desk\n  $ holdfast desk init --currency USDT --time-zone UTC')
    .action(show);
  addDeskOption(desk.command('status').description('every scope that is not normal, and why')).action(show);
  addInit(desk, io);
  addApproval(desk, io);
}

function addInit(desk: Command, io: Io): void {
  addDeskOption(desk.command('init').description('set a desk up that began anew; until then it is halted'))
    .option('--currency <code>', 'what all amounts are in', 'USDT')
    .option('--time-zone <zone>', 'where the trading day begins (IANA)', 'UTC')
    .option('--reason <text>', 'why, for the record', nonEmpty)
    .addHelpText('after', '\nExample:\n  $ holdfast desk init --currency USDT --time-zone Europe/Berlin')
    .action(async (_options: InitOptions, command: Command) => {
      const {
        desk: id,
        currency,
        timeZone,
        reason = 'set up from the command line',
      } = command.optsWithGlobals<InitOptions>();
      const ui = uiOf(command, io);
      const said = { action: 'init', command_id: newCommandId(), actor: io.actor, reason };
      await withClient(io, async (client) => {
        await client.ensureDesk(id);
        const answer = await client.commandDesk({ ...said, currency, time_zone: timeZone }, id);
        assertOk(answer);
        if (ui.json) ui.data({ desk_id: id, currency, time_zone: timeZone, ...answer });
        else ui.line(deskLine(await client.deskStatus(id), ui));
      });
    });
}

function addApproval(desk: Command, io: Io): void {
  addDeskOption(desk.command('approve').description('be the second person for the resume of a shutdown'))
    .argument('<scope>', 'the scope whose resume waits')
    .option('--reason <text>', 'why, for the record; needed', nonEmpty)
    .option('--expected-epoch <epoch>', 'that of the resume (default: the scope’s)', epochOf)
    .addHelpText('after', '\nExample:\n  $ holdfast desk approve global --reason "keys are new"')
    .action(async (scope: string, _options: ApproveOptions, command: Command) => {
      const given = performance.now();
      const { desk: id, reason, expectedEpoch: expected_epoch } = command.optsWithGlobals<ApproveOptions>();
      await lowerAtDesk(io, uiOf(command, io), {
        ...{ action: 'approve', scope, desk: id, expected_epoch, waits: true },
        reason: reasonFor(`The approval of ${scope}`, reason),
        elapsed: () => Math.round(performance.now() - given),
      });
    });
}
