import { CommanderError } from 'commander';
import { HoldfastError, errorCatalogue, asSentence, messageOf, type ErrorCode } from '../errors';
import type { Io } from './io';

/** Ends a command with this code after it has said all there is to say. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly exit_code: number;

  constructor(exitCode: number) {
    super(`ended with ${exitCode}`);
    this.exit_code = exitCode;
  }
}

interface Complaint {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next_step: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What commander ends with after it has printed help or the version; `help` is a command of which only a part was named. */
const saidAlready: ReadonlyMap<string, number> = new Map([
  ['commander.helpDisplayed', 0],
  ['commander.version', 0],
  ['commander.help', 2],
]);
const USAGE = 'Add --help to see what the command takes, with examples.';

/** Says on stderr what went wrong and what to do about it; returns the exit code. */
export function report(error: unknown, io: Io, options: { json: boolean; stack: boolean }): number {
  if (error instanceof Ended) return error.exit_code;
  const said = error instanceof CommanderError ? saidAlready.get(error.code) : undefined;
  if (said !== undefined) return said;
  const complaint = complaintOf(error);
  io.err(options.json ? `${JSON.stringify({ error: complaint })}\n` : forPeople(complaint));
  if (options.stack && error instanceof Error) io.err(`${error.stack ?? ''}\n`);
  return errorCatalogue[complaint.code].exit_code;
}

function complaintOf(error: unknown): Complaint {
  const usage = error instanceof CommanderError;
  const { code, message, details, entry } = usage ? usageError(error) : asHoldfastError(error);
  return { code, message, next_step: usage ? USAGE : entry.next_step, details };
}

function forPeople({ code, message, next_step }: Complaint): string {
  return `error: ${message}\nnext:  ${next_step} [${code}]\n`;
}

function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  return new HoldfastError('Unexpected', asSentence(messageOf(error)));
}

/** Commander writes `error: unknown command 'lits'\n(Did you mean list?)`. */
function usageError(error: CommanderError): HoldfastError {
  const [first = '', hint = ''] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /^\(Did you mean (.*)\?\)$/.exec(hint)?.[1];
  return new HoldfastError('BadRequest', asSentence(first) + (suggestion ? ` Did you mean ${suggestion}?` : ''));
}
