/** Reads commands and signals. What cannot be read as a command is refused; what cannot be read as a signal halts everything. */
import { isObject, present } from '../json';
import { decimal } from '../money';
import {
  hasField,
  isId,
  readCurrency,
  readDecimal,
  readEpoch,
  readFlag,
  readId,
  readIds,
  readInstant,
  readOneOf,
  readOptionalId,
  readPositive,
  readText,
  readTexts,
  readTimeZone,
  refuse,
  sourceOf,
  type Source,
} from './fields';
import { MOST_CAUSES } from './causes';
import { readLimits } from './limits';
import type { Bot, DeskCommand, EmergencyState, RaiseCommand, Scope } from './model';
import { GLOBAL, isScope, severity } from './scopes';

type Raised = Exclude<EmergencyState, 'normal'>;

const RAISING = ['alert', 'halt', 'shutdown'] as const;
const ACTIONS = [
  ...RAISING,
  'resume',
  'approve',
  'set_limits',
  'register_bot',
  'cash_flow',
  'init',
  'cancel_orders',
  'flatten',
] as const;
const MOST_VENUES = 50;
const LONGEST_NAME = 100;

/** Throws `BadRequest` or `UnknownScope`. */
export function readCommand(value: unknown): DeskCommand {
  const source = sourceOf(value, 'a command', 'BadRequest');
  const action = readOneOf(source, 'action', ACTIONS);
  const common = {
    command_id: readId(source, 'command_id'),
    actor: readText(source, 'actor'),
    reason: readText(source, 'reason'),
  };
  if (isRaising(action)) return { action, ...common, ...readRaise(source) };
  switch (action) {
    case 'resume':
      return { action, ...common, ...readApproval(source), causes: readTexts(source, 'causes', MOST_CAUSES + 1) };
    case 'approve':
      return { action, ...common, ...readApproval(source) };
    case 'set_limits':
      return { action, ...common, ...readSetLimits(source) };
    case 'register_bot':
      return { action, ...common, ...readRegistration(source) };
    case 'cash_flow':
      return {
        action,
        ...common,
        scope: readScope(source),
        amount: readDecimal(source, 'amount'),
        currency: readCurrency(source, 'currency'),
      };
    case 'init':
      return {
        action,
        ...common,
        currency: readCurrency(source, 'currency'),
        time_zone: readTimeZone(source, 'time_zone'),
      };
    case 'cancel_orders':
      return { action, ...common, ...readCancels(source) };
    case 'flatten':
      return { action, ...common, ...readFlatten(source) };
  }
}

export function isRaising(action: DeskCommand['action']): action is RaiseCommand['action'] {
  return RAISING.some((each) => each === action);
}

function readScope({ members }: Source): Scope {
  const { scope } = members;
  return isScope(scope)
    ? scope
    : refuse('UnknownScope', `there is no scope ${JSON.stringify(scope ?? null).slice(0, 100)}`);
}

function readRaise(source: Source) {
  const flags = { cancel_open: readFlag(source, 'cancel_open'), cancel_stops: readFlag(source, 'cancel_stops') };
  return { scope: readScope(source), ...present(flags) };
}

function readApproval(source: Source) {
  return {
    scope: readScope(source),
    expected_epoch: readEpoch(source, 'expected_epoch'),
    issued_at: readInstant(source, 'issued_at'),
  };
}

function readCancels(source: Source) {
  const members = { symbol: readOptionalId(source, 'symbol'), cancel_stops: readFlag(source, 'cancel_stops') };
  return { scope: readScope(source), ...present(members) };
}

/** What sells must be meant: the scope is to be named twice. */
function readFlatten(source: Source) {
  const scope = readScope(source);
  if (source.members['confirm'] !== scope) refuse('BadRequest', `confirm must be the scope, ${scope}, once more`);
  if (!hasField(source, 'max_slippage_percent')) return { scope, confirm: scope };
  const max_slippage_percent = readPositive(source, 'max_slippage_percent');
  if (decimal(max_slippage_percent).gte('100')) refuse('BadRequest', 'max_slippage_percent must be below 100');
  return { scope, confirm: scope, max_slippage_percent };
}

function readSetLimits(source: Source) {
  const limits = readLimits(source.members['limits']);
  return { scope: readScope(source), limits, ...present({ auto_halt: readFlag(source, 'auto_halt') }) };
}

function readRegistration({ members }: Source) {
  const limits = members['limits'] === undefined ? undefined : readLimits(members['limits']);
  return { bot: readBot(members['bot']), ...present({ limits }) };
}

function readBot(value: unknown): Bot {
  const source = sourceOf(value, 'bot', 'BadRequest');
  return {
    bot_id: readId(source, 'bot_id'),
    name: readText(source, 'name').slice(0, LONGEST_NAME),
    venues: readIds(source, 'venues', MOST_VENUES),
    starting_equity: readDecimal(source, 'starting_equity'),
    time_zone: readTimeZone(source, 'time_zone'),
  };
}

export interface ReadSignal {
  readonly raise: Omit<RaiseCommand, 'command_id'> & { readonly command_id?: string };
  /** Whose cause it becomes: that of an operator who gave a name, else the signal's own. */
  readonly cause: string;
}

/**
 * A signal is obeyed whatever it says. A text is its reason; an object names scope, reason, actor, command_id, cancel_open and
 * cancel_stops as far as it does. Without a scope it is for `global`, and with one that `isKnown` does not know, or none at all of this, at least a halt of it.
 */
export function readSignal(name: Raised, payload: unknown, isKnown: (scope: Scope) => boolean): ReadSignal {
  if (typeof payload === 'string') return signalOf(name, GLOBAL, { reason: payload });
  if (!isObject(payload)) return signalOf(atLeastHalt(name), GLOBAL, { reason: 'a signal that cannot be read' });
  const { scope } = payload;
  if (scope === undefined) return signalOf(name, GLOBAL, payload);
  if (isScope(scope) && isKnown(scope)) return signalOf(name, scope, payload);
  return signalOf(atLeastHalt(name), GLOBAL, payload);
}

function atLeastHalt(name: Raised): Raised {
  return severity(name) < severity('halt') ? 'halt' : name;
}

function signalOf(action: Raised, scope: Scope, members: Readonly<Record<string, unknown>>): ReadSignal {
  const { command_id, cancel_open, cancel_stops } = members;
  const actor = textOr('signal', members['actor']);
  const optional = {
    command_id: isId(command_id) ? command_id : undefined,
    cancel_open: typeof cancel_open === 'boolean' ? cancel_open : undefined,
    cancel_stops: typeof cancel_stops === 'boolean' ? cancel_stops : undefined,
  };
  return {
    raise: { action, scope, actor, reason: textOr('unspecified', members['reason']), ...present(optional) },
    cause: actor === 'signal' ? 'signal' : `operator:${actor}`,
  };
}

function textOr(missing: string, value: unknown): string {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 500) : missing;
}
