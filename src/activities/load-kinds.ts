/** Authors' own node kinds, beside those Holdfast ships: the same for the worker, the gateway, the command line and tests. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { HoldfastError, messageOf } from '../errors';
import { NODE_ID } from '../graph/names';
import { isObject } from '../json';
import type { OrderLookup } from '../venues/order-lookup';
import type { NodeKind } from './define-node';
import type { NodeKinds } from './kinds';

/** What authors may write; a control kind happens inside the execution. */
const EFFECTS: ReadonlySet<unknown> = new Set(['pure', 'read', 'notify', 'trade', 'cancel']);
const FUNCTIONS = ['run', 'parse'];
const OBJECTS = ['fields', 'outputs', 'retry'];

/**
 * The shipped kinds and those the modules export as `kinds`. Throws `KindsInvalid` when a module cannot be loaded, exports no
 * such list, or names a kind that is there already.
 */
export function withOwnKinds(shipped: NodeKinds, modules: readonly string[]): NodeKinds {
  return modules.reduce((kinds, module) => addKinds(kinds, kindsOf(module), `${module}: `), shipped);
}

/**
 * What the modules export as `orderLookups`, for orders whose sender is gone; a module need not have any. Throws `KindsInvalid` like
 * `withOwnKinds`.
 */
export function orderLookupsOf(modules: readonly string[]): readonly OrderLookup[] {
  return modules.flatMap((module) => {
    const { orderLookups = [] } = load(module);
    if (Array.isArray(orderLookups) && orderLookups.every(isLookup)) return orderLookups;
    throw new HoldfastError('KindsInvalid', `${module}: \`orderLookups\` is no list of order lookups.`);
  });
}

/** `where` stands before what is wrong. Throws `KindsInvalid`. */
export function addKinds(kinds: NodeKinds, own: readonly unknown[], where = ''): NodeKinds {
  const all = new Map(kinds);
  own.forEach((kind, index) => {
    const wrong = isKind(kind) ? undefined : `kinds[${index}] is no node kind of \`defineNode\`, or of effect control`;
    if (wrong !== undefined) throw new HoldfastError('KindsInvalid', `${where}${wrong}.`);
    const { type } = kind as NodeKind;
    if (!NODE_ID.test(type)) throw new HoldfastError('KindsInvalid', `${where}\`${type}\` is no name for a node kind.`);
    if (all.has(type)) throw new HoldfastError('KindsInvalid', `${where}there is a node kind \`${type}\` already.`);
    all.set(type, kind as NodeKind);
  });
  return all;
}

function kindsOf(module: string): readonly unknown[] {
  const { kinds } = load(module);
  if (Array.isArray(kinds)) return kinds as readonly unknown[];
  throw new HoldfastError('KindsInvalid', `${module}: exports no list \`kinds\`.`);
}

/** CommonJS or ES module, whatever Node loads. A relative path starts where the process does. */
function load(module: string): { readonly kinds?: unknown; readonly orderLookups?: unknown } {
  const path = resolve(module);
  if (!existsSync(path)) throw new HoldfastError('KindsInvalid', `${module}: there is no such file.`, { module });
  try {
    return (createRequire(path)(path) ?? {}) as ReturnType<typeof load>;
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    throw new HoldfastError('KindsInvalid', `${module}: cannot be loaded (${reason}).`, { module });
  }
}

function isLookup(value: unknown): value is OrderLookup {
  if (!isObject(value)) return false;
  const { venue, account, fence_ms, query_lag_ms, find } = value;
  return (
    [venue, account].every((id) => typeof id === 'string' && id !== '') &&
    [fence_ms ?? 0, query_lag_ms].every((ms) => typeof ms === 'number' && ms >= 0) &&
    typeof find === 'function'
  );
}

function isKind(value: unknown): value is NodeKind {
  if (typeof value !== 'object' || value === null) return false;
  const kind = value as Readonly<Record<string, unknown>>;
  return (
    typeof kind['type'] === 'string' &&
    EFFECTS.has(kind['effect']) &&
    FUNCTIONS.every((name) => typeof kind[name] === 'function') &&
    OBJECTS.every((name) => typeof kind[name] === 'object' && kind[name] !== null)
  );
}
