/** Raising at the desk: durable with or without workers, and confirmed by the desk when it answers. */
import { setTimeout as pause } from 'node:timers/promises';
import type { CommandAnswer, RaiseCommand } from '../emergency/model';
import { botOf } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import type { TemporalAccess } from './connection';
import { command as commandDesk, raiseBySignal } from './desk';

export interface Raised {
  /** Milliseconds until it could no longer be lost. */
  readonly accepted_ms: number;
  /** What the desk made of it, also when that is a refusal; absent when it did not answer. It decides as soon as one of its workers runs. */
  readonly answer?: CommandAnswer;
  /** Milliseconds until the desk's answer. */
  readonly in_force_ms?: number;
}

export interface RaiseOptions {
  /** The caller made the `command_id` for this command, so no other can bear it. */
  readonly is_new: boolean;
  readonly desk_id: string;
}

/** How long the desk alone is asked where a signal could do more than was meant. */
const PATIENCE_MS = 1_000;

/**
 * A signal is never refused: one for a bot nobody registered halts `global`, and one under an id that was used raises all the same. So
 * where the desk may have a reason to refuse it is asked first, and the signal follows only when it stays silent: too wide is safe,
 * lost is not. Everywhere else the signal goes first. Throws `TemporalUnavailable`.
 */
export async function raise(
  access: TemporalAccess,
  command: RaiseCommand,
  { is_new, desk_id }: RaiseOptions,
): Promise<Raised> {
  const began = performance.now();
  const elapsed = () => Math.round(performance.now() - began);
  const ask = () => answered(commandDesk(access, command, desk_id));
  const mayBeRefused = !is_new || botOf(command.scope) !== undefined;
  const first = mayBeRefused ? ask() : undefined;
  const early = await (first === undefined ? undefined : within(PATIENCE_MS, first));
  if (early !== undefined) return { accepted_ms: elapsed(), answer: early, in_force_ms: elapsed() };
  // A desk that was not started says so at once; the signal starts it, and then it can be asked.
  const isSilent = first !== undefined && elapsed() >= PATIENCE_MS;
  await raiseBySignal(access, command, desk_id);
  const accepted_ms = elapsed();
  const answer = await (isSilent ? first : ask());
  return answer === undefined ? { accepted_ms } : { accepted_ms, answer, in_force_ms: elapsed() };
}

async function answered(answer: Promise<CommandAnswer>): Promise<CommandAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'EmergencyUnreachable') return undefined;
    throw error;
  }
}

/** What comes later is still awaited by whoever holds the promise; its failure is theirs. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  const late = new AbortController();
  try {
    return await Promise.race([answer, pause(ms, undefined, { signal: late.signal })]);
  } finally {
    late.abort();
  }
}
