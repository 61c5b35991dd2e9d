/** The only way down: a resume that has seen what it lifts and, after a shutdown, a second person who has seen the same. */
import { breachedLimits } from './breaches';
import { bookOf, keepBook } from './books';
import { INIT_CAUSES, stateOf } from './causes';
import { refuse } from './fields';
import type { ApproveCommand, Cause, ResumeCommand, Scope } from './model';
import { scopesOf } from './scopes';
import { lower, standingOf } from './standing';
import { put, type Draft, type PendingResume } from './state';

/** How old a lowering command may be, and how far ahead its clock. */
export const COMMAND_LIFETIME_MS = 10_000;
export const APPROVAL_WINDOW_MS = 300_000;

type Lowering = Pick<ResumeCommand, 'scope' | 'expected_epoch' | 'issued_at'>;

/** Returns until when it waits for a second person, undefined when it is done. Throws what it is refused with. */
export function resume(draft: Draft, command: ResumeCommand): number | undefined {
  assertFresh(draft, command);
  const standing = standingOf(draft, command.scope);
  if (standing === undefined) return undefined;
  assertNamed(command, standing.causes);
  assertSafe(draft, command.scope, standing.causes);
  if (stateOf(standing.causes) !== 'shutdown') {
    lift(draft, command.scope, command);
    return;
  }
  const until = draft.desk.clock + APPROVAL_WINDOW_MS;
  const pending: PendingResume = { actor: command.actor, expected_epoch: command.expected_epoch, until };
  put(draft, 'scopes', command.scope, { ...standing, pending });
  return until;
}

/** A raise in between takes the prepared resume with it, so what is lifted is what both have seen. */
export function approve(draft: Draft, command: ApproveCommand): void {
  assertFresh(draft, command);
  const standing = standingOf(draft, command.scope);
  const pending = standing?.pending;
  if (standing === undefined || pending === undefined || draft.desk.clock > pending.until) {
    return refuse('CommandExpired', `no resume of ${command.scope} waits for a second person`);
  }
  if (pending.expected_epoch !== command.expected_epoch)
    refuse('StaleResume', `the resume that waits saw epoch ${pending.expected_epoch}`);
  if (isSamePerson(pending.actor, command.actor))
    refuse('NeedsSecondPerson', `${pending.actor} prepared the resume of ${command.scope}`);
  assertSafe(draft, command.scope, standing.causes);
  lift(draft, command.scope, command);
}

/** A resume that nobody approved in time waits no more. */
export function dropExpiredApprovals(draft: Draft): void {
  for (const [scope, { pending, ...standing }] of Object.entries(draft.desk.scopes)) {
    if (pending !== undefined && draft.desk.clock > pending.until) put(draft, 'scopes', scope, standing);
  }
}

/** It has seen the scope's latest change when its epoch lies between that change and now. */
function assertFresh(draft: Draft, { scope, expected_epoch, issued_at }: Lowering): void {
  const { clock, epoch } = draft.desk;
  if (Math.abs(clock - issued_at) > COMMAND_LIFETIME_MS)
    refuse('CommandExpired', `it was issued ${clock - issued_at} ms ago`);
  const changed = standingOf(draft, scope)?.epoch ?? 0;
  if (expected_epoch < changed || expected_epoch > epoch) {
    refuse(
      'StaleResume',
      `${scope} changed at epoch ${changed}, the desk is at ${epoch}, and ${expected_epoch} was seen`,
    );
  }
}

function assertNamed({ scope, causes: named }: ResumeCommand, causes: readonly Cause[]): void {
  const unseen = causes.filter(({ id }) => !named.includes(id) && !INIT_CAUSES.includes(id)).map(({ id }) => id);
  if (unseen.length > 0) refuse('StaleResume', `${scope} has causes the resume does not name: ${unseen.join(', ')}`);
}

function assertSafe(draft: Draft, scope: Scope, causes: readonly Cause[]): void {
  if (causes.some(({ id }) => id === 'uninitialised')) refuse('DeskUninitialised', 'the desk has not been set up');
  if (causes.some(({ id }) => id === 'rewound'))
    refuse('DeskRewound', 'the desk is older than the journal has seen it');
  // The count of losses begins anew with the resume: no trade could end the series while the scope is halted.
  const breached = breachedLimits(draft, scope).filter((limit) => limit !== 'consecutive_losses');
  if (breached.length > 0) refuse('LimitBreached', `${scope} is past ${breached.join(', ')}`);
  const unproven = Object.values(draft.desk.permits).find(
    (permit) => permit.unknown === true && scopesOf(permit).includes(scope),
  );
  if (unproven !== undefined) refuse('PositionUnproven', `an order of ${unproven.instrument} has an unknown end`);
}

function lift(draft: Draft, scope: Scope, said: { readonly reason: string; readonly actor: string }): undefined {
  const { reason, actor } = said;
  lower(draft, scope, [], { reason, actor });
  const book = bookOf(draft, scope);
  if (book.losses > 0) keepBook(draft, scope, { ...book, losses: 0 });
}

function isSamePerson(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
