/** What each command and signal does to the desk. */
import { isObject, present } from '../json';
import { bookOf, keepBook, zoneOf } from './books';
import { judge } from './breaches';
import { INIT_CAUSES } from './causes';
import { isRaising, readCommand, readSignal } from './commands';
import { withFlow, withMark } from './equity';
import { isId, refusalOf, refuse, type Refusal } from './fields';
import { flatten } from './flatten';
import { withLimits } from './limits';
import type {
  CancelOrdersCommand,
  CashFlowCommand,
  CommandAnswer,
  DeskCommand,
  EmergencyState,
  InitCommand,
  Limits,
  RaiseCommand,
  RegisterBotCommand,
  Scope,
  SetLimitsCommand,
} from './model';
import { canonicalBody, remember, rememberedAnswer } from './remembered';
import { approve, resume } from './resume';
import { botOf, GLOBAL, isScope } from './scopes';
import { lower, raise, scopeState, standingOf } from './standing';
import { entry, nextEpoch, put, type Draft } from './state';

export const MOST_BOTS = 200;
/** Scopes with limits of their own. */
export const MOST_LIMITED = 400;
const LONGEST_BODY = 2_000;
/** What makes safer must not wait for the journal; it is recorded once that is back. */
export const NEED_NO_AUDIT: readonly unknown[] = ['alert', 'halt', 'shutdown', 'cancel_orders', 'flatten'];

export type Outcome =
  | {
      readonly kind: 'answered';
      readonly answer: CommandAnswer;
      readonly command: DeskCommand;
      readonly isRepeat: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly command?: DeskCommand };

/** Changes the draft only as far as it gets; on `refused` the caller goes on from the state before. */
export function obey(draft: Draft, value: unknown, isAudited: boolean): Outcome {
  let command: DeskCommand | undefined;
  try {
    command = readCommand(value);
    const known = rememberedAnswer(draft, command);
    if (known !== undefined) return { kind: 'answered', answer: known, command, isRepeat: true };
    if (command.action !== 'register_bot') assertKnown(draft, scopeOf(command));
    if (!isAudited) assertNeedsNoAudit(command);
    const { scope = scopeOf(command), ...waits } = carryOut(draft, command);
    return { kind: 'answered', answer: { ok: true, ...where(draft, scope), ...waits }, command, isRepeat: false };
  } catch (error) {
    return { kind: 'refused', refusal: refusalOf(error), ...present({ command }) };
  }
}

/** Never refused. One that an update under the same `command_id` has brought already changes nothing. */
export function obeySignal(draft: Draft, name: Exclude<EmergencyState, 'normal'>, payload: unknown): void {
  const { raise: wanted, cause } = readSignal(name, payload, (scope) => isKnown(draft, scope));
  const command = wanted.command_id === undefined ? undefined : { ...wanted, command_id: wanted.command_id };
  if (command !== undefined && isRemembered(draft, command)) return;
  const { action: state, scope, reason, actor, cancel_open, cancel_stops } = wanted;
  const raised = raise(draft, { scope, state, cause, reason, actor, ...present({ cancel_open, cancel_stops }) });
  const answer = { ok: true, ...where(draft, raised) };
  // An id that another command has taken is left to it.
  if (command !== undefined && !draft.desk.commands.some(({ command_id }) => command_id === command.command_id))
    remember(draft, command, answer);
  audit(draft, { action: `signal ${name}`, scope: raised, reason, actor, body: payload });
}

export function answerTo(
  draft: Draft,
  { refusal, command }: { readonly refusal: Refusal; readonly command?: DeskCommand },
): CommandAnswer {
  const scope = command === undefined ? GLOBAL : scopeOf(command);
  return { ok: false, error: refusal, ...where(draft, scope) };
}

export function auditCommand(draft: Draft, command: DeskCommand, answer: CommandAnswer): void {
  const { action, actor, reason, command_id } = command;
  audit(draft, {
    action,
    actor,
    reason,
    command_id,
    scope: scopeOf(command),
    outcome: answer.error?.code,
    body: command,
  });
}

/** What an unreadable command says of itself, as far as it can be believed. */
export function claimOf(value: unknown) {
  const plain: unknown = JSON.parse(canonicalBody(value));
  const { action, actor, scope, command_id } = isObject(plain) ? plain : {};
  return {
    action: isId(action) ? action : 'command',
    scope: isScope(scope) ? scope : GLOBAL,
    ...present({ actor: isId(actor) ? actor : undefined, command_id: isId(command_id) ? command_id : undefined }),
  };
}

/** Something unreadable, or refused, for the record. */
export function audit(
  { desk, effects }: Draft,
  said: {
    readonly action: string;
    readonly scope: Scope;
    readonly body: unknown;
    readonly reason?: string;
    readonly actor?: string;
    readonly command_id?: string;
    readonly outcome?: string | undefined;
  },
): void {
  const { action, scope, command_id, reason = '', actor = 'unknown', outcome = 'ok' } = said;
  const body = canonicalBody(said.body).slice(0, LONGEST_BODY);
  const { clock: at, epoch } = desk;
  effects.push({ kind: 'audit', at, action, actor, scope, reason, epoch, outcome, body, ...present({ command_id }) });
}

function where(draft: Draft, scope: Scope) {
  return { scope, state: scopeState(draft, scope), epoch: draft.desk.epoch };
}

function scopeOf(command: DeskCommand): Scope {
  if (command.action === 'register_bot') return `bot:${command.bot.bot_id}`;
  return command.action === 'init' ? GLOBAL : command.scope;
}

function isKnown({ desk }: Draft, scope: Scope): boolean {
  const bot = botOf(scope);
  return bot === undefined || entry(desk.bots, bot) !== undefined;
}

function isRemembered(draft: Draft, command: DeskCommand): boolean {
  try {
    return rememberedAnswer(draft, command) !== undefined;
  } catch {
    // Another command has the id. A signal raises all the same.
    return false;
  }
}

function assertKnown(draft: Draft, scope: Scope): void {
  if (!isKnown(draft, scope)) refuse('UnknownScope', `${scope} is not registered`);
}

function assertNeedsNoAudit({ action }: DeskCommand): void {
  if (NEED_NO_AUDIT.includes(action)) return;
  refuse('AuditUnavailable', `${action} must be recorded, and the journal is down`);
}

/** What the answer says beyond where the desk is now. */
interface Carried {
  /** Where it was raised, when there was no more room for the scope it named. */
  readonly scope?: Scope;
  readonly awaits_approval_until?: number;
}

function carryOut(draft: Draft, command: DeskCommand): Carried {
  if (isRaise(command)) {
    return { scope: raise(draft, { ...command, state: command.action, cause: `operator:${command.actor}` }) };
  }
  switch (command.action) {
    case 'resume':
      return present({ awaits_approval_until: resume(draft, command) });
    case 'approve':
      approve(draft, command);
      return {};
    case 'set_limits':
      setLimits(draft, command);
      return {};
    case 'register_bot':
      registerBot(draft, command);
      return {};
    case 'cash_flow':
      moveCash(draft, command);
      return {};
    case 'init':
      initialise(draft, command);
      return {};
    case 'cancel_orders':
      cancelOrders(draft, command);
      return {};
    case 'flatten':
      flatten(draft, command);
      return {};
  }
}

function isRaise(command: DeskCommand): command is RaiseCommand {
  return isRaising(command.action);
}

function setLimits(
  draft: Draft,
  { scope, limits, auto_halt }: Omit<SetLimitsCommand, 'action' | 'command_id' | 'actor' | 'reason'>,
): void {
  const known = entry(draft.desk.limits, scope);
  if (known === undefined && Object.keys(draft.desk.limits).length >= MOST_LIMITED) {
    refuse('DeskBusy', `${MOST_LIMITED} scopes have limits already`);
  }
  put(draft, 'limits', scope, withLimits(known, limits, auto_halt));
  nextEpoch(draft);
  judge(draft, scope);
}

function registerBot(
  draft: Draft,
  { bot, limits }: { readonly bot: RegisterBotCommand['bot']; readonly limits?: Limits },
): void {
  const scope = `bot:${bot.bot_id}`;
  const isNew = entry(draft.desk.bots, bot.bot_id) === undefined;
  if (isNew && Object.keys(draft.desk.bots).length >= MOST_BOTS)
    refuse('DeskBusy', `${MOST_BOTS} bots are registered already`);
  put(draft, 'bots', bot.bot_id, bot);
  const { clock } = draft.desk;
  const book = bookOf(draft, scope);
  // What it begins with is its first mark: losses and drawdown are measured from there.
  if (book.equity === undefined)
    keepBook(draft, scope, withMark(book, bot.time_zone, { at: clock, equity: bot.starting_equity }, clock));
  setLimits(draft, { scope, limits: limits ?? {} });
}

function moveCash(draft: Draft, { scope, amount, currency }: CashFlowCommand): void {
  if (currency !== draft.desk.currency) refuse('WrongCurrency', `the desk counts in ${draft.desk.currency}`);
  keepBook(draft, scope, withFlow(bookOf(draft, scope), zoneOf(draft, scope), amount, draft.desk.clock));
  nextEpoch(draft);
  judge(draft, scope);
}

/** Under an epoch of its own, which tells what was permitted before it. */
function cancelOrders(draft: Draft, { action: _action, command_id: _id, ...order }: CancelOrdersCommand): void {
  draft.effects.push({ kind: 'cancel_orders', order: { ...order, epoch: nextEpoch(draft) } });
}

/** A desk that was set up before and has forgotten something since keeps its currency: its amounts are in it. */
function initialise(draft: Draft, { currency, time_zone, reason, actor }: InitCommand): void {
  const causes = standingOf(draft, GLOBAL)?.causes ?? [];
  const left = causes.filter(({ id }) => !INIT_CAUSES.includes(id));
  if (left.length === causes.length) refuse('AlreadyInitialised', `${draft.desk.desk_id} is set up already`);
  const isFirst = causes.some(({ id }) => id === 'uninitialised');
  if (!isFirst && currency !== draft.desk.currency)
    refuse('WrongCurrency', `the desk counts in ${draft.desk.currency}`);
  Object.assign(draft.desk, { currency, time_zone });
  lower(draft, GLOBAL, left, { reason, actor });
}
