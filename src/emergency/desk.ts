/**
 * The emergency desk's rules, pure: what a command makes of a state. One scope, `global`, and two states for now.
 * A halt only raises; `resume` alone lowers. Every change takes the next epoch.
 */

export type EmergencyState = 'normal' | 'halt';

export interface DeskState {
  readonly state: EmergencyState;
  readonly epoch: number;
  readonly reason: string;
  readonly actor: string;
  /** ISO 8601, when this state began. */
  readonly since: string;
}

/** A command that must be read to be obeyed; only such a one can lower a halt. */
export interface DeskCommand {
  readonly action: 'halt' | 'resume';
  readonly reason: string;
  /** Who commands, for the record. */
  readonly actor: string;
}

/**
 * A desk that starts anew, after the one before was terminated or its database lost, begins above every epoch of that one: its epochs
 * count from the millisecond it started. Executions and the event log take only what is newer than they know.
 */
export function initialDesk(now: number): DeskState {
  return { state: 'normal', epoch: now, reason: 'started', actor: 'system', since: new Date(now).toISOString() };
}

/** The state after a command; the same object when it changes nothing. */
export function decide(desk: DeskState, { action, reason, actor }: DeskCommand, now: number): DeskState {
  const state = action === 'halt' ? 'halt' : 'normal';
  if (desk.state === state) return desk;
  return { state, epoch: desk.epoch + 1, reason, actor, since: new Date(now).toISOString() };
}

/** Says in one sentence why something is no command; undefined when it is one. */
export function mistakeInCommand(command: unknown): string | undefined {
  if (typeof command !== 'object' || command === null) return 'a command is an object';
  const { action, reason, actor } = command as Record<string, unknown>;
  if (action !== 'halt' && action !== 'resume') return 'action must be halt or resume';
  if (typeof reason !== 'string' || reason === '') return 'a reason is needed';
  if (typeof actor !== 'string' || actor === '') return 'an actor is needed';
  return undefined;
}
