/** A raising command from the command line: the closing, the signal, the desk's answer, the seal, the executions, each with its time. */
import { permissionsOf, isScope } from '../emergency/scopes';
import type { RaiseCommand, Scope } from '../emergency/model';
import type { DeskStatus, ScopeStatus } from '../emergency/status';
import { HoldfastError } from '../errors';
import { present } from '../json';
import { newCommandId, scopeOf } from '../temporal-client/desk';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { CancelReport } from '../emergency/cancels';
import { assertCancelled, cancelLines, cancelsOf } from './cancels';
import { withClient } from './client';
import { announce, type Announcement, type Heard } from './closing';
import { CONFIRM_MS, assertOk, concernsExecutions, ifAnswered, settleAll, unconfirmed, type Everyone } from './confirm';
import { deskLine, executionLines, scopeLine } from './desk-words';
import type { Io, Ui } from './io';
import { until } from './until';

export interface RaiseOrder {
  readonly action: RaiseCommand['action'];
  readonly scope: Scope;
  readonly desk: string;
  readonly reason: string;
  readonly command_id?: string | undefined;
  readonly cancel_open?: boolean | undefined;
  readonly cancel_stops?: boolean | undefined;
  /** Whether to wait for the seal and the executions. */
  readonly waits: boolean;
  /** Milliseconds since the command was given. */
  readonly elapsed: () => number;
}

interface Answer {
  readonly command_id: string;
  readonly scope: Scope;
  readonly action: RaiseCommand['action'];
  readonly reason: string;
  readonly accepted_ms: number;
  readonly desk_ms: number;
  readonly desk: DeskStatus;
  readonly closing?: Heard;
  readonly seal?: Seal;
  readonly executions?: Everyone;
  readonly executions_ms?: number;
  /** Of `cancel_open`; null when nobody answers for them yet. */
  readonly cancels?: CancelReport | null;
}

interface Seal {
  /** Milliseconds since the command was given; absent while venues may still accept orders of the scope. */
  readonly sealed_ms?: number;
  readonly unsettled: number;
}

/** For the seal; one question each is enough. */
const SEAL_EVERY_MS = 100;

/** Throws `WorkerUnavailable` when it is durable and nobody confirms it, and what the desk refuses it with. */
export async function raiseAtDesk(io: Io, ui: Ui, order: RaiseOrder): Promise<void> {
  const { action, scope, reason, desk, cancel_open, cancel_stops } = order;
  const command_id = order.command_id ?? newCommandId();
  const command: RaiseCommand = {
    action,
    scope,
    command_id,
    actor: io.actor,
    reason,
    ...present({ cancel_open, cancel_stops }),
  };
  const closing = await announce(io, command, { desk, elapsed: order.elapsed });
  try {
    await withClient(io, async (client) => {
      const answer = await carryOut(client, command, { order, closing });
      show(answer, ui);
      assertHeld(answer);
    });
  } finally {
    closing.close();
  }
}

function assertHeld({ action, executions, cancels, accepted_ms }: Answer): void {
  const silent = executions?.silent.length ?? 0;
  if (silent > 0) throw unconfirmed(`${silent} open executions do not say yet that the ${action} holds`, accepted_ms);
  if (cancels !== undefined) assertCancelled(cancels ?? undefined);
}

interface Course {
  readonly order: RaiseOrder;
  readonly closing: Announcement;
}

async function carryOut(client: HoldfastClient, command: RaiseCommand, { order, closing }: Course): Promise<Answer> {
  const { action, desk, reason, elapsed, waits } = order;
  const { accepted_ms, desk_ms, scope } = await given(client, command, order);
  const status = await until(CONFIRM_MS, () => ifAnswered(() => client.deskStatus(desk)));
  if (status === undefined) throw unconfirmed('the desk does not say how it stands', accepted_ms);
  const said = { command_id: command.command_id, scope, action, reason, accepted_ms, desk_ms, desk: status };
  const closes = action !== 'alert';
  if (!waits || !closes) return { ...said, ...present({ closing: closing.heard() }) };
  const [seal, executions, cancels] = await Promise.all([
    sealOf(client, { desk, scope, elapsed }),
    concernsExecutions(scope) ? confirmedBy(settleAll({ client, desk, scope, closes }), elapsed) : {},
    order.cancel_open === true ? cancelled(client, status, { desk, scope, actor: command.actor }) : {},
  ]);
  return { ...said, seal, ...executions, ...cancels, ...present({ closing: closing.heard() }) };
}

interface Raised {
  readonly desk: string;
  readonly scope: Scope;
  readonly actor: string;
}

/** Those of the commander's own cause, which is of the same step as the cancels. */
async function cancelled(client: HoldfastClient, status: DeskStatus, { desk, scope, actor }: Raised) {
  const { causes } = scopeOf(status, scope);
  const name = causes.find(({ id }) => id === `operator:${actor}`)?.epoch;
  const report = name === undefined ? undefined : await cancelsOf(client, { desk, name });
  return { cancels: report ?? null };
}

async function confirmedBy(everyone: Promise<Everyone>, elapsed: () => number) {
  const executions = await everyone;
  return { executions, executions_ms: elapsed() };
}

async function given(client: HoldfastClient, command: RaiseCommand, { desk, elapsed, command_id }: RaiseOrder) {
  // The desk refuses and records it. A signal could not be refused, and would halt everything.
  if (!isScope(command.scope)) assertOk(await client.commandDesk({ ...command }, desk));
  const before = elapsed();
  const raised = await client.raise(command, { is_new: command_id === undefined, desk_id: desk });
  const accepted_ms = before + raised.accepted_ms;
  if (raised.answer !== undefined) {
    assertOk(raised.answer);
    return { accepted_ms, desk_ms: before + (raised.in_force_ms ?? 0), scope: raised.answer.scope };
  }
  const knows = async () => (await client.deskKnowsCommand(command.command_id, desk)) || undefined;
  if ((await until(CONFIRM_MS - elapsed(), () => ifAnswered(knows))) !== true) {
    throw unconfirmed(`the desk does not say yet that the ${command.action} holds`, accepted_ms);
  }
  return { accepted_ms, desk_ms: elapsed(), scope: command.scope };
}

interface Sealing {
  readonly desk: string;
  readonly scope: Scope;
  readonly elapsed: () => number;
}

async function sealOf(client: HoldfastClient, { desk, scope, elapsed }: Sealing): Promise<Seal> {
  let last: ScopeStatus | undefined;
  const sealed = await until(
    CONFIRM_MS,
    () =>
      ifAnswered(async () => {
        last = scopeOf(await client.deskStatus(desk), scope);
        // Resumed meanwhile: there is nothing left to wait for.
        return last.sealed_at !== undefined || permissionsOf(last.state).can_trade ? last : undefined;
      }),
    SEAL_EVERY_MS,
  );
  const unsettled = last?.unsettled ?? 0;
  return sealed?.sealed_at === undefined ? { unsettled } : { sealed_ms: elapsed(), unsettled };
}

function show(answer: Answer, ui: Ui): void {
  const found = scopeOf(answer.desk, answer.scope);
  if (ui.json) ui.data(asData(answer, found));
  else for (const line of linesOf(answer, found, ui)) ui.line(line);
}

function asData(answer: Answer, { state, epoch }: ScopeStatus) {
  const { seal } = answer;
  const sealed = seal === undefined ? {} : { sealed: seal.sealed_ms !== undefined };
  return { ...answer, state, epoch, ...sealed, ...present({ sealed_ms: seal?.sealed_ms }) };
}

function linesOf(answer: Answer, found: ScopeStatus, ui: Ui): readonly string[] {
  const { accepted_ms, desk_ms, desk, closing, seal, executions, executions_ms = 0, cancels } = answer;
  return [
    answer.scope === 'global' ? deskLine(desk, ui) : scopeLine(found, ui),
    `accepted after ${accepted_ms} ms, in force at the desk after ${desk_ms} ms (epoch ${found.epoch})`,
    ...(closing === undefined ? [] : [`closing heard by ${closing.heard} after ${closing.ms} ms`]),
    ...(seal === undefined ? [] : [sealLine(answer.scope, seal)]),
    ...(executions === undefined ? [] : executionLines(executions, executions_ms)),
    ...(cancels === undefined ? [] : cancelLines(cancels ?? undefined, ui)),
  ];
}

function sealLine(scope: Scope, { sealed_ms, unsettled }: Seal): string {
  if (sealed_ms !== undefined) return `sealed after ${sealed_ms} ms: no increasing order can be accepted any more`;
  return `closing, ${unsettled} orders of ${scope} unproven; \`holdfast desk\` shows when it is sealed`;
}

/** Throws `BadRequest`: an execution has a halt, and no more than that. */
export function assertNotExecution(action: string, execution: string): never {
  const instead = action === 'shutdown' ? `\`holdfast cancel ${execution}\` ends it` : 'it can be halted';
  throw new HoldfastError('BadRequest', `The ${action} of a single execution does not exist; ${instead}.`);
}
