/** What the emergency panel says, in words: causes, what became of a command, the same on the command line. Pure. */
import type { EmergencyAnswer } from 'holdfast/client';
import type { Commanded } from './command';
import { clock, duration } from '../format';
import type { Desk, DeskCause, DeskScope } from '../wire';

export const GLOBAL = 'global';
const STOPPED: readonly string[] = ['halt', 'shutdown'];

/** A desk lists those that are not normal, have limits or hold something; all others are normal. */
export function scopeIn(desk: Desk | undefined, scope: string): DeskScope | undefined {
  return desk?.scopes.find((each) => each.scope === scope);
}

export function isStopped(state: string | undefined): boolean {
  return state !== undefined && STOPPED.includes(state);
}

/** `global` first, then what is not normal, the most severe first. */
export function notNormal(desk: Desk): readonly DeskScope[] {
  const severity = ['alert', 'halt', 'shutdown'];
  return desk.scopes
    .filter(({ causes }) => causes.length > 0)
    .toSorted(
      (a, b) =>
        Number(b.scope === GLOBAL) - Number(a.scope === GLOBAL) ||
        severity.indexOf(b.state) - severity.indexOf(a.state),
    );
}

export function causeWords({ state, actor, reason, since }: DeskCause): string {
  return `${state} by ${actor} since ${clock(since)}: ${reason}`;
}

/** In one line, for the header of every page. */
export function deskWords(desk: Desk): string {
  const [first, ...others] = notNormal(desk);
  if (first === undefined) return 'desk normal';
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return `${first.state}: ${first.scope}${more}`;
}

export interface Fact {
  readonly name: 'requested' | 'accepted' | 'in force' | 'sealed';
  /** `open`: not yet, or not known. */
  readonly state: 'done' | 'open' | 'failed';
  readonly words: string;
}

/** Three facts of a halt, four with the desk's own: each is said when it is known, and none is taken for another. */
export function factsOf(command: Commanded, now: DeskScope | undefined): readonly Fact[] {
  const tries = command.tries === 1 ? '' : `, sent ${command.tries} times under the same id`;
  const requested: Fact = { name: 'requested', state: 'done', words: `${clock(command.requested_at)}${tries}` };
  const { outcome } = command;
  if (outcome.kind === 'refused')
    return [requested, { name: 'accepted', state: 'failed', words: `no: ${outcome.words}` }];
  if (outcome.kind === 'asked') {
    return [requested, { name: 'accepted', state: 'open', words: `no answer yet. ${outcome.words ?? ''}`.trim() }];
  }
  if (outcome.kind === 'unanswered') {
    const heard = outcome.words === undefined ? '' : `. The last that was heard: ${outcome.words}`;
    const words = `nobody answered: it may have been taken, or not${heard}`;
    return [requested, { name: 'accepted', state: 'failed', words }];
  }
  const seals = command.action === 'halt' || command.action === 'shutdown';
  return [requested, accepted(outcome), inForce(outcome), ...(seals ? [sealed(outcome, now)] : [])];
}

type Answered = Extract<Commanded['outcome'], { readonly kind: 'answered' }>;

function accepted({ answer, after_ms }: Answered): Fact {
  const took = answer.accepted_ms ?? after_ms;
  return { name: 'accepted', state: 'done', words: `cannot be lost any more, after ${duration(took)}` };
}

function inForce({ answer, after_ms }: Answered): Fact {
  const { state, epoch, in_force_ms, awaits_approval_until: until } = answer;
  if (state === undefined) {
    return { name: 'in force', state: 'open', words: 'no desk answers; it comes to hold as soon as a worker runs' };
  }
  if (until !== undefined) {
    return { name: 'in force', state: 'open', words: `it waits for a second person until ${clock(until)}` };
  }
  const at = epoch === undefined ? '' : ` (epoch ${epoch})`;
  const what = answer.action === 'set_limits' ? 'the limits hold, ' : '';
  return {
    name: 'in force',
    state: 'done',
    words: `${what}${answer.scope} is ${state} after ${duration(in_force_ms ?? after_ms)}${at}`,
  };
}

/** By the answer, or by what the desk has said since; not by that of an older halt. */
function sealed({ answer }: Answered, now: DeskScope | undefined): Fact {
  const since = ofThisHalt(answer, now);
  if (answer.sealed !== true && since?.sealed_at === undefined) return closing(since?.unsettled ?? answer.unsettled);
  const took = sealedAfter(since) ?? answer.sealed_ms;
  const after = took === undefined ? '' : ` after ${duration(took)}`;
  return { name: 'sealed', state: 'done', words: `no increasing order can be accepted any more${after}` };
}

function ofThisHalt({ epoch = Infinity }: EmergencyAnswer, now: DeskScope | undefined): DeskScope | undefined {
  return now !== undefined && now.epoch >= epoch ? now : undefined;
}

function closing(unsettled: number | undefined): Fact {
  const words = unsettled === undefined ? 'not known yet' : `closing: ${unsettled} orders may still be accepted`;
  return { name: 'sealed', state: 'open', words };
}

/** Milliseconds from halt to seal on the desk's clock. */
function sealedAfter(scope: DeskScope | undefined): number | undefined {
  const { halted_at, sealed_at } = scope ?? {};
  return halted_at === undefined || sealed_at === undefined ? undefined : sealed_at - halted_at;
}

/** The same on the command line, for when the gateway is away. */
export function commandLine(action: string, scope: string): string {
  if (action === 'set_limits') return `npx holdfast limits set ${scope} daily_loss=500 --reason "why"`;
  return `npx holdfast ${action} ${flagOf(scope)} --reason "why"`;
}

function flagOf(scope: string): string {
  const colon = scope.indexOf(':');
  return scope === GLOBAL || colon < 0 ? '--all' : `--${scope.slice(0, colon)} ${scope.slice(colon + 1)}`;
}

/** What a resume must name; taken when the form is opened, so that what is lifted is what was seen. */
export function resumeOf({ causes, epoch }: DeskScope): {
  readonly causes: readonly string[];
  readonly expected_epoch: number;
} {
  return { causes: causes.map(({ id }) => id), expected_epoch: epoch };
}
