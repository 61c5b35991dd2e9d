import { InvalidArgumentError, Option, type Command } from 'commander';
import { HoldfastError } from '../../errors';
import { ROLES, createToken, type Role } from '../../gateway/tokens';
import { durationMs } from '../../graph/duration';
import { present } from '../../json';
import { uiOf, type Io } from '../io';
import { locate } from '../where';

interface Options {
  readonly role: Role;
  readonly expires: string;
  readonly bots?: readonly string[];
  readonly strategies?: readonly string[];
}

const ID = /^[\p{L}\p{N}][^\s,]{0,199}$/u;

export function addToken(program: Command, io: Io): void {
  const token = program.command('token').description('make tokens for the gateway');
  token
    .command('create')
    .description('print a bearer token, signed with the secret of the local stack or HOLDFAST_JWT_SECRET')
    .addOption(new Option('--role <role>', 'what its bearer may do').choices(ROLES).default('viewer'))
    .option('--expires <duration>', 'how long it is good for', '8h')
    .addOption(idsOption('--bot, --bots <id...>', 'only these bots'))
    .addOption(idsOption('--strategy, --strategies <id...>', 'only these strategies'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast token create --role operator --expires 8h\n  $ holdfast token create --bots bot_001,bot_002',
    )
    .action(async (options: Options, command: Command) => {
      const ui = uiOf(command, io);
      const expires_in_s = secondsOf(options.expires);
      const { token_secret } = await locate(io);
      if (token_secret === undefined) throw noSecret();
      const { role, bots, strategies } = options;
      const scope = present({ bots, strategies });
      const text = await createToken({ role, subject: io.actor, expires_in_s, ...scope }, token_secret);
      if (ui.json) ui.data({ token: text, role, expires_in_s, ...scope });
      else ui.line(text);
    });
}

/** Several by spaces or commas. A word that is no id would make a token that sees nothing, and nobody would know why. */
function idsOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string, given: readonly string[] | undefined) => [
    ...(given ?? []),
    ...text.split(',').map((id) => idOf(id.trim())),
  ]);
}

function idOf(text: string): string {
  if (ID.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is not an id.`);
}

function secondsOf(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms >= 1_000) return Math.round(ms / 1_000);
  throw new HoldfastError(
    'BadRequest',
    `--expires ${text} is not a duration of at least a second, such as "30m" or "8h".`,
  );
}

function noSecret(): HoldfastError {
  return new HoldfastError(
    'ConfigurationInvalid',
    'There is no secret to sign with: set HOLDFAST_JWT_SECRET, or run `holdfast up` once, which makes one.',
  );
}
