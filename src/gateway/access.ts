/** Who may do what, see what, and come from where. */
import type { Scope } from '../emergency/model';
import { HoldfastError } from '../errors';
import { ROLES, type Identity, type Role } from './tokens';

/** What anything visible is about. */
export interface Owner {
  readonly bot_id?: string | undefined;
  readonly strategy_id?: string | undefined;
}

export function maySee(identity: Identity, { bot_id, strategy_id }: Owner): boolean {
  return allows(identity.bots, bot_id) && allows(identity.strategies, strategy_id);
}

function allows(allowed: readonly string[] | undefined, id: string | undefined): boolean {
  return allowed === undefined || (id !== undefined && allowed.includes(id));
}

/** Whose a scope is; all but those of bots and strategies are everybody's, so of no restricted token. */
export function ownerOfScope(scope: Scope): Owner {
  if (scope.startsWith('bot:')) return { bot_id: scope.slice('bot:'.length) };
  return scope.startsWith('strategy:') ? { strategy_id: scope.slice('strategy:'.length) } : {};
}

export function isRestricted({ bots, strategies }: Identity): boolean {
  return bots !== undefined || strategies !== undefined;
}

/** Throws `Forbidden`. */
export function assertRole(identity: Identity, needed: Role): void {
  if (ROLES.indexOf(identity.role) >= ROLES.indexOf(needed)) return;
  throw new HoldfastError('Forbidden', `This needs the role ${needed}; the token’s is ${identity.role}.`);
}

/** Who may start, steer and halt. */
export const ROLES_THAT_COMMAND: readonly Role[] = ROLES.slice(ROLES.indexOf('operator'));

/** The roles an identity may act in: its own and those below. */
export function rolesOf({ role }: Identity): readonly Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1);
}

/** Throws `Forbidden` unless the next identity is the same subject's and may nothing the present one may not. */
export function assertNoWider(present: Identity, next: Identity): void {
  const problem =
    (next.subject !== present.subject && 'is another subject’s') ||
    (ROLES.indexOf(next.role) > ROLES.indexOf(present.role) && 'has a wider role') ||
    (!(isWithin(present.bots, next.bots) && isWithin(present.strategies, next.strategies)) &&
      'has bots or strategies this connection’s has not');
  if (problem !== false) throw new HoldfastError('Forbidden', `The token ${problem}; connect anew with it.`);
}

function isWithin(allowed: readonly string[] | undefined, asked: readonly string[] | undefined): boolean {
  return allowed === undefined || (asked !== undefined && asked.every((id) => allowed.includes(id)));
}

/** Throws `Forbidden`. */
export function assertMaySee(identity: Identity, owner: Owner): void {
  if (!maySee(identity, owner)) {
    throw new HoldfastError('Forbidden', 'The token’s bots or strategies do not include this.');
  }
}

export interface DoorRules {
  /** The name the gateway listens under. */
  readonly host: string;
  readonly allowed_origins: readonly string[];
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host === '::1';
}

export interface DoorRefusal {
  readonly reason: 'host' | 'origin';
  readonly message: string;
}

/**
 * Why a request may not enter, or nothing. A browser page of another site can reach a loopback port under a name of its own
 * (DNS rebinding), so the Host must be one of ours; and a browser always names its Origin, which must be ours or allowed. A
 * program names none and is judged by its token.
 */
export function refusalOf(
  rules: DoorRules,
  host: string | undefined,
  origin: string | undefined,
): DoorRefusal | undefined {
  const hostname = hostnameOf(`http://${host ?? ''}`);
  const known = [rules.host, ...rules.allowed_origins.map(hostnameOf)];
  if (hostname === undefined || !(LOOPBACK.has(hostname) || known.includes(hostname))) {
    return { reason: 'host', message: 'The Host is not one this gateway answers to.' };
  }
  if (origin === undefined || rules.allowed_origins.includes(origin)) return undefined;
  const isOwn = URL.canParse(origin) && new URL(origin).host === host;
  return isOwn ? undefined : { reason: 'origin', message: 'The Origin is not allowed.' };
}

function hostnameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
