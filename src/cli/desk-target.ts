/** What a command of the emergency desk is for: `--all`, `--scope`, `--bot`, `--strategy`, `--symbol`, `--venue`. */
import { InvalidArgumentError, type Command } from 'commander';
import { GLOBAL } from '../emergency/scopes';
import type { Scope } from '../emergency/model';
import { HoldfastError } from '../errors';
import { DEFAULT_DESK } from '../temporal-client/desk';
import { wholeOption } from './whole-option';

export interface TargetOptions {
  readonly desk: string;
  readonly all?: boolean;
  readonly scope?: string;
  readonly bot?: string;
  readonly strategy?: string;
  readonly symbol?: string;
  readonly venue?: string;
}

export type Target = { readonly execution: string } | { readonly scope: Scope };

const KINDS = ['bot', 'strategy', 'symbol', 'venue'] as const;

export function addTargetOptions(command: Command): Command {
  return addDeskOption(command)
    .option('--all', 'everything: the scope global')
    .option('--scope <scope>', 'a scope as the desk names it, such as bot:bot_001', nonEmpty)
    .option('--bot <id>', 'one bot', nonEmpty)
    .option('--strategy <id>', 'one strategy', nonEmpty)
    .option('--symbol <symbol>', 'orders in one symbol', nonEmpty)
    .option('--venue <profile>', 'orders at one venue', nonEmpty);
}

export function addDeskOption(command: Command): Command {
  return command.option('--desk <id>', 'which emergency desk', nonEmpty, DEFAULT_DESK);
}

/** A command that guesses its scope is worse than one that asks. Throws `BadRequest`. */
export function targetOf(execution: string | undefined, options: TargetOptions, action: string): Target {
  const { all = false, scope } = options;
  const named: readonly Target[] = [
    ...(execution === undefined ? [] : [{ execution }]),
    ...(all ? [{ scope: GLOBAL }] : []),
    ...(scope === undefined ? [] : [{ scope }]),
    ...KINDS.flatMap((kind) => (options[kind] === undefined ? [] : [{ scope: `${kind}:${options[kind]}` }])),
  ];
  const [target] = named;
  if (target !== undefined && named.length === 1) return target;
  const which = target === undefined ? 'one of both is needed' : 'not both';
  throw new HoldfastError(
    'BadRequest',
    `Name an execution to ${action}, or give --all: ${which}. Less than all: --bot, --strategy, --symbol, --venue or --scope.`,
  );
}

export function nonEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

export const epochOf = wholeOption(
  Number.MIN_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER,
  'Use the epoch as it was shown, a whole number.',
);

/** Whatever lowers or loosens is recorded with a reason, so none is made up for it. Throws `BadRequest`. */
export function reasonFor(action: string, reason: string | undefined): string {
  if (reason !== undefined) return reason;
  throw new HoldfastError('BadRequest', `${action} needs --reason: it is recorded with who gave it.`);
}
