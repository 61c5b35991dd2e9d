/** `cancel-all`: what rests at the venues goes, by a workflow, or with `--direct` by this command alone. */
import type { Command } from 'commander';
import { loadConfig } from '../../config/config';
import type { CancelOrder } from '../../emergency/cancels';
import { GLOBAL } from '../../emergency/scopes';
import { HoldfastError } from '../../errors';
import { present } from '../../json';
import { openTradingAccounts } from '../../venues/open-venues';
import { assertCancelled, cancelLines, cancelsOf } from '../cancels';
import { withClient } from '../client';
import { addDeskOption, nonEmpty } from '../desk-target';
import { assertGone, cancelDirectly, directLines } from '../direct-cancels';
import { uiOf, type Io, type Ui } from '../io';
import { wholeOption } from '../whole-option';

interface Options {
  readonly desk: string;
  readonly venue?: string;
  readonly symbol?: string;
  readonly stops?: boolean;
  readonly direct?: boolean;
  readonly yes?: boolean;
  readonly within: number;
  readonly reason?: string;
}

const DIRECT_WITHIN_S = 30;

export function addCancelAll(program: Command, io: Io): void {
  addDeskOption(program.command('cancel-all').description('cancel what rests at the venues; halts nothing'))
    .option('--venue <profile>', 'at one venue', nonEmpty)
    .option('--symbol <symbol>', 'in one symbol', nonEmpty)
    .option('--stops', 'protective stops as well')
    .option('--direct', 'by this command alone: without Temporal, Redis, the journal and the workers')
    .option(
      '--within <seconds>',
      'with --direct: how long to try',
      wholeOption(1, 3_600, 'Use whole seconds, 1 to 3600.'),
      DIRECT_WITHIN_S,
    )
    .option('--reason <text>', 'why, for the record', nonEmpty)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nIt does not stop new orders: `holdfast halt --all --cancel-open` does both.\n' +
        '\nExamples:\n  $ holdfast cancel-all\n  $ holdfast cancel-all --venue paper_binance --symbol BTC/USDT --yes\n' +
        '  $ holdfast cancel-all --direct --stops',
    )
    .action(async (options: Options, command: Command) => {
      const ui = uiOf(command, io);
      if (options.direct === true) await direct(io, ui, options);
      else await durable(io, ui, options);
    });
}

async function durable(io: Io, ui: Ui, options: Options): Promise<void> {
  const { desk, venue, symbol, stops, reason = 'cancel-all from the command line' } = options;
  await confirmed(io, options, venue ?? 'every venue');
  const scope = venue === undefined ? GLOBAL : `venue:${venue}`;
  const order: CancelOrder = { scope, reason, actor: io.actor, ...present({ symbol, cancel_stops: stops }) };
  await withClient(io, async (client) => {
    const name = await client.cancelOrders(order, desk);
    const report = await cancelsOf(client, { desk, name });
    if (ui.json) ui.data({ name, cancels: report ?? null });
    else for (const line of cancelLines(report, ui)) ui.line(line);
    assertCancelled(report);
  });
}

async function direct(io: Io, ui: Ui, options: Options): Promise<void> {
  const { venue, symbol, stops = false, within } = options;
  const { venues } = loadConfig(io.environment);
  const opened = openTradingAccounts(venues);
  try {
    const accounts = opened.accounts.filter(({ profile }) => venue === undefined || profile === venue);
    if (accounts.length === 0)
      throw noAccount(
        venue,
        venues.profiles.map(({ name }) => name),
      );
    const names = accounts.map(({ profile, trading }) => `${profile} ${trading.account}`);
    await confirmed(io, options, names.join(', '));
    const cancelled = await cancelDirectly(accounts, {
      ...{ stops, deadline_ms: within * 1_000 },
      ...present({ symbol }),
    });
    if (ui.json) ui.data({ accounts: cancelled });
    else for (const line of directLines(cancelled, ui)) ui.line(line);
    assertGone(cancelled);
  } finally {
    await opened.close();
  }
}

function noAccount(venue: string | undefined, profiles: readonly string[]): HoldfastError {
  const what = venue === undefined ? `None of the venue profiles (${profiles.join(', ')})` : `The profile ${venue}`;
  return new HoldfastError('NoTradingAccount', `${what} has no account to trade in: nothing can be cancelled.`);
}

/** Throws `BadRequest`. */
async function confirmed(io: Io, { yes, symbol, stops }: Options, where: string): Promise<void> {
  if (yes === true) return;
  const what = `every open order${symbol === undefined ? '' : ` in ${symbol}`}${stops === true ? '' : ' but protective stops'}`;
  const said = await io.ask(`This cancels ${what} at ${where}, whoever placed it. Type yes: `);
  if (said.trim() === 'yes') return;
  throw new HoldfastError('BadRequest', 'Nothing was cancelled: it takes the word yes, or --yes.');
}
