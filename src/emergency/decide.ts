/**
 * The emergency desk, pure: what an input makes of a state, what is answered and what is to be done about it.
 *
 * - D1. Only a valid `resume` (with `approve` after a shutdown) or `init` makes a scope less severe.
 * - D2. No increasing permit is granted in a halted scope, and none takes reserved and held exposure past a limit.
 * - D3. The same inputs at the same times give the same state; nothing here reads a clock, randomness or anything outside.
 * - D4. A refused input changes nothing but the clock and what is remembered of commands, and is audited.
 * - D5. What is not readable as decimal text in the desk's currency is refused with a code; nothing throws.
 */
import { judge } from './breaches';
import { isId, refusalOf, refuse, type Refusal } from './fields';
import { readFill, recordFill } from './fills';
import { DEFAULT_LIMITS, withLimits } from './limits';
import { readMark, readPriceMark, recordMark, recordPrice } from './marks';
import type { CommandAnswer, DeskCommand, DeskInput, Effect, Reply } from './model';
import { tellOrders } from './order-facts';
import { answerTo, audit, auditCommand, claimOf, obey, obeySignal } from './obey';
import { PERMIT_LIFETIME_MS, decidePermits } from './permits';
import { remember } from './remembered';
import { dropExpiredApprovals } from './resume';
import { GLOBAL } from './scopes';
import { raise, sealIfQuiet, unseal } from './standing';
import { commit, openDraft, type DeskState, type Draft } from './state';

export type { DeskState } from './state';
export { effectiveState, statusOf, type DeskStatus } from './status';

export interface DeskOptions {
  readonly desk_id: string;
  /** What amounts are in; `init` may set another. [USDT] */
  readonly currency?: string;
  /** IANA; where the trading day begins. [UTC] */
  readonly time_zone?: string;
  /** False: halted with the cause `uninitialised` until `init`. */
  readonly initialised: boolean;
}

export interface Decision {
  readonly state: DeskState;
  readonly reply: Reply;
  readonly effects: readonly Effect[];
}

/**
 * Its epochs count from the millisecond it began, so they are above all of the desk before it, whose memory is lost. `global` is held to
 * the default limits from the first moment.
 */
export function initialDesk(
  { desk_id, currency = 'USDT', time_zone = 'UTC', initialised }: DeskOptions,
  now: number,
): DeskState {
  const state: DeskState = {
    v: 1,
    desk_id,
    currency,
    time_zone,
    clock: now,
    epoch: now,
    scopes: {},
    limits: { [GLOBAL]: withLimits(undefined, DEFAULT_LIMITS, true) },
    exposures: {},
    books: {},
    bots: {},
    positions: {},
    permits: {},
    unproven: {},
    ended: [],
    orders: [],
    orders_forgotten_until: 0,
    commands: [],
  };
  if (initialised) return state;
  const draft = openDraft({ ...state, blind_until: now + FORGOTTEN_MS }, now);
  raise(draft, { scope: GLOBAL, state: 'halt', cause: 'uninitialised', reason: 'the desk began anew', actor: 'desk' });
  return commit(draft);
}

/** How long a forgotten permit may have been good for: its lifetime, and as much for the difference of clocks. */
export const FORGOTTEN_MS = 2 * PERMIT_LIFETIME_MS;

/** `now` is the workflow's time in milliseconds since 1970; earlier than the latest seen counts as that. */
export function decide(state: DeskState, input: DeskInput, now: number): Decision {
  if (input.kind === 'command') return decideCommand(state, input, now);
  const draft = openDraft(state, now);
  try {
    return finish(draft, replyTo(draft, input));
  } catch (error) {
    return refused(openDraft(state, now), input, refusalOf(error));
  }
}

type Command = Extract<DeskInput, { kind: 'command' }>;

/** Answers that say nothing of the command itself, so it may be given again under its id. */
const PASSING: readonly string[] = ['AuditUnavailable', 'DeskBusy', 'CommandConflict'];

/** A refused command leaves a draft half changed, so what is kept of it is kept on a new one. */
function decideCommand(state: DeskState, { command, audit_available = true }: Command, now: number): Decision {
  const attempt = openDraft(state, now);
  const outcome = obey(attempt, command, audit_available);
  const draft = outcome.kind === 'refused' ? openDraft(state, now) : attempt;
  const answer = outcome.kind === 'refused' ? answerTo(draft, outcome) : outcome.answer;
  const { command: read } = outcome;
  if (read === undefined) audit(draft, { ...claimOf(command), outcome: answer.error?.code, body: command });
  else if (outcome.kind === 'refused' || !outcome.isRepeat) record(draft, read, answer);
  return finish(draft, { kind: 'command', answer });
}

function record(draft: Draft, command: DeskCommand, answer: CommandAnswer): void {
  if (answer.error === undefined || !PASSING.includes(answer.error.code)) remember(draft, command, answer);
  auditCommand(draft, command, answer);
}

function finish(draft: Draft, reply: Reply): Decision {
  for (const scope of draft.exposures.keys()) sealIfQuiet(draft, scope);
  tellOrders(draft);
  return { state: commit(draft), reply, effects: draft.effects };
}

function refused(draft: Draft, input: DeskInput, error: Refusal): Decision {
  audit(draft, { action: input.kind, scope: GLOBAL, outcome: error.code, reason: error.message, body: input });
  return finish(draft, { kind: 'refused', error });
}

function replyTo(draft: Draft, input: Exclude<DeskInput, Command>): Reply {
  if (input.kind === 'permits') {
    return { kind: 'permits', answers: decidePermits(draft, input) };
  }
  take(draft, input);
  return { kind: 'accepted' };
}

function take(draft: Draft, input: Exclude<DeskInput, { kind: 'command' | 'permits' }>): void {
  switch (input.kind) {
    case 'signal': {
      obeySignal(draft, input.name, input.payload);
      return;
    }
    case 'fill': {
      recordFill(draft, readFill(input.fill));
      return;
    }
    case 'mark': {
      recordMark(draft, readMark(input.mark));
      return;
    }
    case 'price': {
      recordPrice(draft, readPriceMark(input.price));
      return;
    }
    case 'refused_command': {
      const outcome = isId(input.code) ? input.code : 'Forbidden';
      audit(draft, { ...claimOf(input.command), outcome, body: input.command });
      return;
    }
    case 'tick': {
      tick(draft);
      return;
    }
    case 'witness': {
      compareWithWitness(draft, input.epoch);
      return;
    }
  }
}

function tick(draft: Draft): void {
  dropExpiredApprovals(draft);
  for (const scope of Object.keys(draft.desk.limits)) judge(draft, scope);
  for (const scope of Object.keys(draft.desk.scopes)) sealIfQuiet(draft, scope);
}

/** Going on above what the journal saw, so that what executions and gates know of the forgotten epochs is older than what they hear now. */
function compareWithWitness(draft: Draft, seen: number): void {
  if (!Number.isSafeInteger(seen)) refuse('InvalidInput', 'the epoch of a witness is a whole number');
  if (seen <= draft.desk.epoch) return;
  const reason = `the journal saw epoch ${seen}, and the desk is at ${draft.desk.epoch}`;
  draft.desk.epoch = seen;
  draft.desk.blind_until = draft.desk.clock + FORGOTTEN_MS;
  for (const scope of Object.keys(draft.desk.scopes)) unseal(draft, scope);
  raise(draft, { scope: GLOBAL, state: 'halt', cause: 'rewound', reason, actor: 'desk' });
  audit(draft, { action: 'rewound', scope: GLOBAL, reason, actor: 'desk', body: { seen } });
}
