/**
 * A closing: a commander's word to every worker that a scope is about to be halted. It travels ahead of the command, on a channel anyone
 * may write to, so it is signed. It can only ever close; what opens again is the desk's own answer.
 */
import { isObject, present } from '../json';
import { isId } from './fields';
import type { EmergencyState, RaiseCommand, Scope } from './model';
import { isScope } from './scopes';

export interface Closing {
  readonly v: 1;
  readonly desk: string;
  readonly scope: Scope;
  readonly state: Extract<EmergencyState, 'halt' | 'shutdown'>;
  /** Of the command it announces. The desk knows it, or is told by whoever heard the closing. */
  readonly command_id: string;
  readonly reason: string;
  readonly actor: string;
  /** Milliseconds since 1970 on the commander's clock. */
  readonly issued_at: number;
  readonly cancel_open?: boolean;
  readonly cancel_stops?: boolean;
  /** Where the desk itself says what it has decided: its epoch since. Then there is no command to wait for. */
  readonly epoch?: number;
}

export interface SignedClosing extends Closing {
  /** HMAC-SHA256 of `canonicalClosing`, in hexadecimal digits. */
  readonly signature: string;
}

/** What announces a command. */
export function closingOf(
  command: RaiseCommand & { readonly action: Closing['state'] },
  { desk, issued_at }: Pick<Closing, 'desk' | 'issued_at'>,
): Closing {
  const { action: state, scope, command_id, reason, actor, cancel_open, cancel_stops } = command;
  return { v: 1, desk, scope, state, command_id, reason, actor, issued_at, ...present({ cancel_open, cancel_stops }) };
}

/** The command a closing announces: the same body, so that whoever delivers it second gets the first one's answer. */
export function commandOf(closing: Closing): RaiseCommand {
  const { state: action, scope, command_id, reason, actor, cancel_open, cancel_stops } = closing;
  return { action, scope, command_id, reason, actor, ...present({ cancel_open, cancel_stops }) };
}

/** The text that is signed: a list, so that no two closings have the same. What came later is in it where it is said alone. */
export function canonicalClosing(closing: Closing): string {
  const { v, desk, scope, state, command_id, reason, actor, issued_at, cancel_open = null, epoch = null } = closing;
  const later = closing.cancel_stops === undefined ? [] : [closing.cancel_stops];
  return JSON.stringify([v, desk, scope, state, command_id, reason, actor, issued_at, cancel_open, epoch, ...later]);
}

const LONGEST_TEXT = 500;
const SIGNATURE = /^[0-9a-f]{64}$/;
const MEMBERS: Readonly<Record<keyof SignedClosing, (value: unknown) => boolean>> = {
  v: (value) => value === 1,
  desk: isId,
  scope: isScope,
  state: (value) => value === 'halt' || value === 'shutdown',
  command_id: isId,
  reason: isText,
  actor: isText,
  issued_at: Number.isSafeInteger,
  cancel_open: isFlag,
  cancel_stops: isFlag,
  epoch: (value) => value === undefined || Number.isSafeInteger(value),
  signature: (value) => typeof value === 'string' && SIGNATURE.test(value),
};

/** Undefined for anything else; says nothing about the signature but its form. Members of other names are dropped. */
export function readClosing(value: unknown): SignedClosing | undefined {
  if (!isObject(value)) return undefined;
  const isClosing = Object.entries(MEMBERS).every(([name, holds]) => holds(value[name]));
  if (!isClosing) return undefined;
  const members = Object.keys(MEMBERS).map((name) => [name, value[name]]);
  return present(Object.fromEntries(members) as unknown as SignedClosing);
}

function isFlag(value: unknown): boolean {
  return value === undefined || typeof value === 'boolean';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_TEXT;
}
