/** `flatten`: closes what a scope holds, once somebody has seen what that is and said so. */
import { InvalidArgumentError, type Command } from 'commander';
import { isId } from '../../emergency/fields';
import { closingTargets, type FlattenReport } from '../../emergency/flatten';
import type { FlattenCommand } from '../../emergency/model';
import { isScope } from '../../emergency/scopes';
import { HoldfastError } from '../../errors';
import { present } from '../../json';
import { newCommandId, scopeOf } from '../../temporal-client/desk';
import type { HoldfastClient } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { assertOk, ifAnswered } from '../confirm';
import { scopeLine } from '../desk-words';
import { addDeskOption, nonEmpty, reasonFor } from '../desk-target';
import { assertFlat, flattenLines, previewLines, previewOf, type Preview } from '../flattens';
import { uiOf, type Io, type Ui } from '../io';
import { until } from '../until';

interface Options {
  readonly desk: string;
  readonly reason?: string;
  readonly confirm?: string;
  readonly maxSlippage?: string;
  readonly commandId?: string;
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

/** Cancels may take 15 s, and what is refused is asked for again for half a minute. */
const WAIT_MS = 60_000;
const LOOK_EVERY_MS = 200;

export function addFlatten(program: Command, io: Io): void {
  addDeskOption(
    program
      .command('flatten')
      .description('close what a scope holds, by orders that only reduce, also while it is halted')
      .argument('<scope>', 'global, bot:…, strategy:…, venue:… or symbol:…'),
  )
    .option('--reason <text>', 'why, for the record; needed', nonEmpty)
    .option('--confirm <scope>', 'the scope once more, instead of being asked for it', nonEmpty)
    .option('--dry-run', 'show what would be closed, and close nothing')
    .option(
      '--max-slippage <percent>',
      'how far from the last price an order may fill at worst (default: 3, or the least price collar)',
      nonEmpty,
    )
    .option('--command-id <id>', 'to be able to give the same command again', idOf)
    .option('--no-wait', 'do not wait for the orders')
    .addHelpText(
      'after',
      '\nIt halts nothing: what trades the scope may buy again. Halt it first.\n' +
        '\nExamples:\n  $ holdfast flatten bot:bot_001 --dry-run\n  $ holdfast flatten bot:bot_001 --reason "it is over"\n' +
        '  $ holdfast flatten global --reason "it is over" --confirm global --json',
    )
    .action(async (scope: string, options: Options, command: Command) => {
      assertMeant(scope, options);
      const ui = uiOf(command, io);
      await withClient(io, (client) => flatten({ io, ui, client }, scope, options));
    });
}

function idOf(text: string): string {
  if (isId(text)) return text;
  throw new InvalidArgumentError('Use 1 to 200 characters without spaces.');
}

/** Throws `BadRequest` and `UnknownScope` for what nobody need be asked about. */
function assertMeant(scope: string, { confirm, dryRun, reason }: Options): void {
  const given: unknown = scope;
  if (!isScope(given)) throw new HoldfastError('UnknownScope', `There is no scope ${scope.slice(0, 100)}.`);
  if (dryRun !== true) reasonFor(`The flatten of ${scope}`, reason);
  if (confirm !== undefined && confirm !== scope) throw unconfirmed(scope);
}

function unconfirmed(scope: string): HoldfastError {
  return new HoldfastError('BadRequest', `Nothing was closed: it takes the scope once more, ${scope}.`);
}

interface Surroundings {
  readonly io: Io;
  readonly ui: Ui;
  readonly client: HoldfastClient;
}

async function flatten(around: Surroundings, scope: string, options: Options): Promise<void> {
  const { io, ui, client } = around;
  const { desk, dryRun, confirm, wait } = options;
  const previews = await shown(client, ui, { scope, desk });
  if (dryRun === true || previews.length === 0) {
    if (ui.json) ui.data({ scope, desk_id: desk, positions: previews });
    return;
  }
  if (confirm === undefined) await asked(io, scope, previews.length);
  await carryOut(around, commandOf(io, scope, options), { desk, waits: wait, previews });
}

interface Course {
  readonly desk: string;
  readonly waits: boolean;
  readonly previews: readonly Preview[];
}

/** Throws what the desk refuses it with, and `FlattenIncomplete`. */
async function carryOut({ ui, client }: Surroundings, command: FlattenCommand, course: Course): Promise<void> {
  const { desk, waits, previews } = course;
  const { command_id, scope } = command;
  const answer = await client.commandDesk(command, desk);
  assertOk(answer);
  const { epoch } = answer;
  if (!ui.json) ui.line(`accepted as ${command_id} (epoch ${epoch})`);
  const report = waits ? await reportOf(client, desk, epoch) : undefined;
  const said = { command_id, scope, epoch, positions: previews };
  if (ui.json) ui.data(waits ? { ...said, flatten: report ?? null } : said);
  else if (report !== undefined) for (const line of flattenLines(report, ui)) ui.line(line);
  if (waits) assertFlat(report);
}

/** Throws `UnknownScope`, `EmergencyUnreachable`. */
async function shown(
  client: HoldfastClient,
  ui: Ui,
  { scope, desk }: { readonly scope: string; readonly desk: string },
): Promise<readonly Preview[]> {
  const [status, { positions, currency }] = await Promise.all([client.deskStatus(desk), client.deskFigures(desk)]);
  const found = scopeOf(status, scope);
  const previews = previewOf(closingTargets(scope, positions), status);
  if (ui.json) return previews;
  ui.line(scopeLine(found, ui));
  if (previews.length === 0) ui.line(`nothing is held of ${scope}: there is nothing to close`);
  else for (const line of previewLines(previews, currency)) ui.line(line);
  if (previews.length > 0 && found.effective_state === 'normal') {
    ui.note(`${scope} is not halted: what trades it may buy again. \`holdfast halt --scope ${scope}\` comes first.`);
  }
  return previews;
}

/** Throws `BadRequest`. */
async function asked(io: Io, scope: string, count: number): Promise<void> {
  const what = `This cancels what rests of ${scope}, protective stops too, and closes ${count} positions.`;
  const said = await io.ask(`${what} Type ${scope}: `);
  if (said.trim() !== scope) throw unconfirmed(scope);
}

function commandOf(io: Io, scope: string, { reason, commandId, maxSlippage }: Options): FlattenCommand {
  return {
    ...{ action: 'flatten', scope, confirm: scope, actor: io.actor, reason: reasonFor('The flatten', reason) },
    command_id: commandId ?? newCommandId(),
    ...present({ max_slippage_percent: maxSlippage }),
  };
}

/** When all is said, or as it stood when the time was over; undefined when nobody answered. */
async function reportOf(client: HoldfastClient, desk: string, epoch: number): Promise<FlattenReport | undefined> {
  let last: FlattenReport | undefined;
  const ask = async () => {
    last = (await client.flattenReport(epoch, desk)) ?? last;
    return last?.is_done === true ? last : undefined;
  };
  await until(WAIT_MS, () => ifAnswered(ask), LOOK_EVERY_MS);
  return last;
}
