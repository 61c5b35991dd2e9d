import type { Command } from 'commander';
import { present } from '../../json';
import { newCommandId, scopeOf } from '../../temporal-client/desk';
import { withClient } from '../client';
import { assertOk } from '../confirm';
import { addDeskOption, nonEmpty, reasonFor } from '../desk-target';
import { limitTable } from '../desk-words';
import { uiOf, type Io, type Ui } from '../io';
import { limitsOf } from '../limit-words';

interface Options {
  readonly desk: string;
}

interface SetOptions extends Options {
  readonly reason?: string;
  readonly autoHalt?: boolean;
}

export function addLimits(program: Command, io: Io): void {
  const limits = addDeskOption(
    program
      .command('limits')
      .description('show what scopes are held to and how much of it is used, or set it')
      .argument('[scope]', 'only of this scope, such as global or bot:bot_001'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast limits\n  $ holdfast limits set bot:bot_001 daily_loss=300 max_order_notional=none --reason "smaller"',
    )
    .action(async (scope: string | undefined, { desk }: Options, command: Command) => {
      await show(io, uiOf(command, io), { scope, desk });
    });
  addSet(limits, io);
}

function addSet(limits: Command, io: Io): void {
  addDeskOption(limits.command('set').description('set limits of a scope; those not named stay'))
    .argument('<scope>', 'of which scope')
    .argument('<limit...>', 'name=amount, or name=none to take it away')
    .option('--reason <text>', 'why, for the record; needed', nonEmpty)
    .option('--auto-halt', 'a breach halts the scope')
    .option('--no-auto-halt', 'a breach is told and nothing more')
    .addHelpText('after', '\nExample:\n  $ holdfast limits set global daily_loss=300 --reason "a calmer week"')
    .action(async (scope: string, words: readonly string[], _options: SetOptions, command: Command) => {
      const { desk, reason, autoHalt } = command.optsWithGlobals<SetOptions>();
      const said = { scope, reason: reasonFor('A change of limits', reason), limits: limitsOf(words) };
      const body = { action: 'set_limits', command_id: newCommandId(), actor: io.actor, ...said };
      const ui = uiOf(command, io);
      await withClient(io, async (client) => {
        assertOk(await client.commandDesk({ ...body, ...present({ auto_halt: autoHalt }) }, desk));
      });
      await show(io, ui, { scope, desk });
    });
}

async function show(io: Io, ui: Ui, { scope, desk }: { scope: string | undefined; desk: string }): Promise<void> {
  const status = await withClient(io, (client) => client.deskStatus(desk));
  const scopes = scope === undefined ? status.scopes : [scopeOf(status, scope)];
  const limited = scopes.filter(({ limits }) => limits.length > 0);
  if (ui.json) {
    const { desk_id, currency, epoch } = status;
    const shown = limited.map(({ scope, state, auto_halt, limits }) => ({ scope, state, auto_halt, limits }));
    ui.data({ desk_id, currency, epoch, scopes: shown });
  } else if (limited.length === 0)
    ui.line(`${scope ?? 'No scope'} has no limits${scope === undefined ? '' : ' of its own'}.`);
  else for (const line of limitTable(limited, ui)) ui.line(line);
}
