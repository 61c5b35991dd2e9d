/** What people say to the emergency desk, over REST and sockets alike. */
import { closingOf } from '../emergency/closing';
import { readCommand } from '../emergency/commands';
import type { CommandAnswer, DeskCommand, EmergencyState, RaiseCommand, Scope } from '../emergency/model';
import { GLOBAL } from '../emergency/scopes';
import { HoldfastError, asSentence } from '../errors';
import type { ClosingPublisher } from '../event-log';
import { present, type Members, type Present } from '../json';
import type { Logger } from '../logging';
import { DEFAULT_DESK, newCommandId, scopeOf } from '../temporal-client/desk';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import { assertRole, maySee, ownerOfScope } from './access';
import type { EmergencyAnswer, EmergencyOrder } from './protocol';
import type { Refusals } from './refusals';
import type { Identity, Role } from './tokens';

export interface EmergencyContext {
  readonly client: HoldfastClient;
  readonly log: Logger;
  readonly refusals: Pick<Refusals, 'record'>;
  /** The way past the desk to the workers; without one gates close by the desk's answer alone. */
  readonly closings?: Pick<ClosingPublisher, 'publish'>;
}

/** Who is told no is on the record too. Throws `Forbidden`. */
export function admit({ refusals }: EmergencyContext, needed: Role, { identity, command }: Given): void {
  try {
    assertMayCommand(identity, needed, command.scope);
  } catch (error) {
    refusals.record('Forbidden', { ...command, actor: identity.subject });
    throw error;
  }
}

export interface Given {
  readonly identity: Identity;
  readonly command: Members & { readonly action: string; readonly scope: Scope };
}

/** Throws `Forbidden`. */
export function assertMayCommand(identity: Identity, needed: Role, scope: Scope): void {
  assertRole(identity, needed);
  if (maySee(identity, ownerOfScope(scope))) return;
  const whose = scope === GLOBAL ? 'everybody’s' : 'not among the token’s';
  throw new HoldfastError('Forbidden', `The scope ${scope.slice(0, 100)} is ${whose}; the token is restricted.`);
}

/** Throws `Forbidden`, and what the desk refuses it with. */
export async function obey(
  context: EmergencyContext,
  identity: Identity,
  order: Present<EmergencyOrder>,
): Promise<EmergencyAnswer> {
  const { action } = order;
  admit(context, action === 'flatten' ? 'admin' : 'operator', { identity, command: { ...order } });
  const command_id = order.command_id ?? newCommandId();
  const members = { ...order, command_id, actor: identity.subject };
  if (action === 'resume' || action === 'approve') {
    return tell(context, { issued_at: Date.now(), ...members });
  }
  if (action === 'flatten') return tell(context, members);
  return raise(context, members, order.command_id === undefined);
}

/** A command that waits for the desk alone. What cannot be read is the desk's to refuse, so that it is recorded. */
export async function tell({ client, log }: EmergencyContext, members: Members): Promise<EmergencyAnswer> {
  const answer = await client.commandDesk(members);
  return accepted(log, members, answer);
}

async function raise(context: EmergencyContext, members: Members, is_new: boolean): Promise<EmergencyAnswer> {
  const { client, log } = context;
  const command = asRaise(members);
  if (command instanceof HoldfastError) return refused(context, members, command);
  announce(context, command);
  const { answer, ...times } = await client.raise(command, { is_new });
  if (answer !== undefined) {
    return { ...accepted(log, members, answer), ...times, ...(await sealOf(client, command)) };
  }
  const { action, scope, command_id } = command;
  log.warn({ action, scope, command_id, actor: command.actor, reason: command.reason }, 'emergency_command');
  return { command_id, action, scope, ...times };
}

function asRaise(members: Members): RaiseCommand | HoldfastError {
  try {
    return readCommand(members) as RaiseCommand;
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
}

/** The desk says no like this gateway, and has it in its record; while it is silent the no is this gateway's alone. */
async function refused(context: EmergencyContext, members: Members, why: HoldfastError): Promise<EmergencyAnswer> {
  try {
    return await tell(context, members);
  } catch (error) {
    throw error instanceof HoldfastError && error.code === 'EmergencyUnreachable' ? why : error;
  }
}

/** Never waited for: with Redis away it takes seconds to fail, and the desk is what counts. */
function announce({ closings, log }: EmergencyContext, command: RaiseCommand): void {
  const { action, scope, command_id } = command;
  if (closings === undefined || action === 'alert') return;
  const closing = closingOf({ ...command, action }, { desk: DEFAULT_DESK, issued_at: Date.now() });
  closings.publish(closing).then(
    (heard) => {
      log.info({ scope, command_id, heard }, 'closing_published');
    },
    (error: unknown) => {
      log.warn({ scope, command_id, error: String(error) }, 'closing_not_published');
    },
  );
}

function accepted(log: Logger, members: Members, answer: CommandAnswer): EmergencyAnswer {
  const { action, command_id, actor, reason } = members as unknown as DeskCommand;
  const { ok, error, ...rest } = answer;
  const said = { action, command_id, actor, reason, ...rest };
  if (!ok) {
    const { code = 'Unexpected', message = 'The desk refused it.' } = error ?? {};
    log.warn({ ...said, code, error: message }, 'emergency_command_refused');
    throw new HoldfastError(code, asSentence(message), { command_id, ...rest });
  }
  log.warn(said, 'emergency_command');
  return { command_id, action, ...rest };
}

const CLOSED: readonly EmergencyState[] = ['halt', 'shutdown'];

/** Sealed at once when no order of the scope was on its way; the desk's event tells a later seal. */
async function sealOf(client: HoldfastClient, { action, scope }: RaiseCommand) {
  if (!CLOSED.includes(action)) return {};
  try {
    const { sealed_at, halted_at = sealed_at, unsettled } = scopeOf(await client.deskStatus(), scope);
    const sealed_ms = sealed_at === undefined || halted_at === undefined ? undefined : sealed_at - halted_at;
    return { sealed: sealed_at !== undefined, unsettled, ...present({ sealed_ms }) };
  } catch {
    // The halt is in force; whoever wants to know of its seal asks again.
    return {};
  }
}
