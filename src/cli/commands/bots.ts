import { InvalidArgumentError, type Command } from 'commander';
import { HoldfastError } from '../../errors';
import { parseGraphText } from '../../graph/parse';
import { isObject, present, type Members } from '../../json';
import { newCommandId } from '../../temporal-client/desk';
import { withClient } from '../client';
import { assertOk } from '../confirm';
import { addDeskOption, nonEmpty, reasonFor } from '../desk-target';
import { textOf } from '../graph-file';
import { uiOf, type Io, type Ui } from '../io';
import { limitsOf } from '../limit-words';
import { table } from '../table';

interface ListOptions {
  readonly desk: string;
}

interface AddOptions extends ListOptions {
  readonly id?: string;
  readonly name?: string;
  readonly venue?: readonly string[];
  readonly equity?: string;
  readonly timeZone?: string;
  readonly limit?: readonly string[];
  readonly reason?: string;
}

export function addBots(program: Command, io: Io): void {
  const bots = addDeskOption(program.command('bots').description('list the bots a desk knows, or register one'))
    .addHelpText('after', '\nExamples:\n  $ holdfast bots\n  $ holdfast bots add bot.yaml --reason "it begins today"')
    .action(async ({ desk }: ListOptions, command: Command) => {
      await list(io, uiOf(command, io), desk);
    });
  addDeskOption(bots.command('list').description('list the bots a desk knows')).action(
    async (_options: ListOptions, command: Command) => {
      await list(io, uiOf(command, io), command.optsWithGlobals<ListOptions>().desk);
    },
  );
  addAdd(bots, io);
}

function addAdd(bots: Command, io: Io): void {
  addDeskOption(
    bots.command('add').description('register a bot, or change one: a file, options, or options over a file'),
  )
    .argument('[file]', 'JSON or YAML: bot_id, name, venues, starting_equity, time_zone, limits')
    .option('--id <id>', 'its id', nonEmpty)
    .option('--name <name>', 'what people call it (default: its id)', nonEmpty)
    .option('--venue <profile...>', 'where it may trade')
    .option('--equity <amount>', 'what it begins with, in the desk’s currency')
    .option('--time-zone <zone>', 'where its trading day begins (default: UTC)', nonEmpty)
    .option('--limit <name=amount>', 'a limit of its own; may be repeated', oneMore)
    .option('--reason <text>', 'why, for the record; needed', nonEmpty)
    .addHelpText(
      'after',
      '\nExample:\n  $ holdfast bots add --id bot_001 --venue paper_binance --equity 10000 --limit daily_loss=300 --reason "it begins today"',
    )
    .action(async (file: string | undefined, _options: AddOptions, command: Command) => {
      const options = command.optsWithGlobals<AddOptions>();
      const reason = reasonFor('A bot', options.reason);
      const { limits, ...bot } = botOf(file === undefined ? {} : fromFile(file), options);
      const said = { action: 'register_bot', command_id: newCommandId(), actor: io.actor, reason };
      const answer = await withClient(io, (client) =>
        client.commandDesk({ ...said, bot, ...present({ limits }) }, options.desk),
      );
      assertOk(answer);
      const ui = uiOf(command, io);
      if (ui.json) ui.data({ bot, state: answer.state, epoch: answer.epoch });
      else ui.line(`${String(bot.bot_id)} is registered (epoch ${answer.epoch}).`);
    });
}

/** What is missing or wrong is the desk's to refuse, which names the field. */
function botOf(file: Members, { id, name, venue, equity, timeZone, limit }: AddOptions) {
  const options = { bot_id: id, name, venues: venue, starting_equity: equity, time_zone: timeZone };
  const given: Members = { ...file, ...present(options) };
  const ofFile = isObject(file['limits']) ? file['limits'] : undefined;
  const limits = limit === undefined ? ofFile : { ...ofFile, ...limitsOf(limit) };
  return { name: given['bot_id'], time_zone: 'UTC', ...given, bot_id: given['bot_id'], limits };
}

function fromFile(file: string): Members {
  const { document, mistakes } = parseGraphText(textOf(file));
  if (isObject(document) && mistakes.length === 0) return document;
  throw new HoldfastError('BadRequest', `${file} holds no bot. ${mistakes[0]?.message ?? 'It is not an object.'}`, {
    file,
  });
}

function oneMore(text: string, before: readonly string[] = []): readonly string[] {
  if (!text.includes('=')) throw new InvalidArgumentError('Use name=amount.');
  return [...before, text];
}

async function list(io: Io, ui: Ui, desk: string): Promise<void> {
  const { desk_id, bots, scopes, currency } = await withClient(io, (client) => client.deskStatus(desk));
  if (ui.json) {
    ui.data({ desk_id, currency, bots });
    return;
  }
  if (bots.length === 0) {
    ui.line('No bots. `holdfast bots add` registers one.');
    return;
  }
  const rows = bots.map(({ bot_id, name, venues, starting_equity, time_zone }) => {
    const { state = 'normal', equity = starting_equity } = scopes.find(({ scope }) => scope === `bot:${bot_id}`) ?? {};
    return [bot_id, name, state, `${equity} ${currency}`, time_zone, venues.join(' ')];
  });
  for (const line of table(['BOT', 'NAME', 'STATE', 'EQUITY', 'ZONE', 'VENUES'], rows)) ui.line(line);
}
