/** The emergency desk as the outside reaches it. */
import { randomUUID } from 'node:crypto';
import { leadingCause } from '../emergency/causes';
import { effectiveState, type DeskStatus, type ScopeStatus } from '../emergency/status';
import type { CommandAnswer, DeskCommand, PermitAnswer, RaiseCommand, Scope } from '../emergency/model';
import type { DeskFigures } from '../emergency/figures';
import type { OpenOrders, OpenOrdersQuestion } from '../emergency/open-orders';
import type { ReducibleQuestion } from '../emergency/reducible';
import { GLOBAL, botOf, isScope, permissionsOf } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import type { Members } from '../json';
import {
  EMERGENCY_DESK,
  alertSignal,
  commandUpdate,
  deskStatusQuery,
  figuresQuery,
  gateQuery,
  haltDeskSignal,
  knowsCommandQuery,
  openOrdersQuery,
  reducibleQuery,
  recordFillUpdate,
  recordMarkUpdate,
  recordPriceUpdate,
  refusedSignal,
  requestPermitsUpdate,
  shutdownSignal,
  type Acceptance,
  type GateReading,
  type PermitBatch,
  type RefusedCommand,
} from '../workflows/desk-messages';
import { DEFAULT_DESK } from '../workflows/search-attributes';
import { call, type TemporalAccess } from './connection';

export { DEFAULT_DESK } from '../workflows/search-attributes';

/**
 * Of a desk and of what works for it. Another worker must have replayed a whole run by then, also on a machine that is short of time: a task
 * that timed out begins anew.
 */
export const DESK_TASK_TIMEOUT = '3s';
/** Characters of what somebody took for a scope, in an answer. */
const LONGEST_SCOPE = 100;
const SIGNALS = { alert: alertSignal, halt: haltDeskSignal, shutdown: shutdownSignal };

export function deskWorkflowId(deskId: string): string {
  return `desk/${deskId}`;
}

function deskOptions(access: TemporalAccess, deskId: string) {
  return {
    workflowId: deskWorkflowId(deskId),
    taskQueue: access.desk_task_queue,
    workflowTaskTimeout: DESK_TASK_TIMEOUT,
    args: [{ desk_id: deskId }],
  };
}

function handleOf(access: TemporalAccess, deskId: string) {
  return access.client.workflow.getHandle(deskWorkflowId(deskId));
}

function runningOf(access: TemporalAccess, deskId: string) {
  return access.running.workflow.getHandle(deskWorkflowId(deskId));
}

/** The desks that run on the task queue, without those of drills. Throws `TemporalUnavailable`. */
export async function listDesks(access: TemporalAccess): Promise<readonly string[]> {
  const query = `WorkflowType = '${EMERGENCY_DESK}' AND ExecutionStatus = 'Running' AND TaskQueue = '${access.desk_task_queue}'`;
  return call(access, { kind: 'service' }, async () => {
    const ids: string[] = [];
    for await (const { workflowId } of access.client.workflow.list({ query }))
      ids.push(workflowId.slice(deskWorkflowId('').length));
    return ids.filter((id) => !isOfDrill(id));
  });
}

/** What a drill trades at ends with it. */
export function isOfDrill(deskId: string): boolean {
  return deskId.startsWith('drill-');
}

/** Starts the desk unless it runs. One that was never set up is halted until it is. */
export async function ensureDesk(access: TemporalAccess, deskId = DEFAULT_DESK): Promise<void> {
  await call(access, { kind: 'desk', id: deskId }, () =>
    access.client.workflow.start(EMERGENCY_DESK, {
      ...deskOptions(access, deskId),
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  );
}

/** Throws `EmergencyUnreachable` when the desk does not answer: no answer means no. */
export async function deskStatus(access: TemporalAccess, deskId = DEFAULT_DESK): Promise<DeskStatus> {
  return call(access, { kind: 'desk', id: deskId }, () => runningOf(access, deskId).query(deskStatusQuery));
}

/** Throws `EmergencyHalted` unless the desk's own words allow that executions of these scopes start and go on. */
export function assertAllows(status: DeskStatus, scopes: readonly Scope[]): void {
  if (permissionsOf(effectiveState(status, scopes)).can_trade) return;
  const closed = status.scopes.find(
    ({ scope, state }) => (scope === GLOBAL || scopes.includes(scope)) && !permissionsOf(state).can_trade,
  );
  const { scope = GLOBAL, epoch = status.epoch, state = 'halt', causes = [] } = closed ?? {};
  const { reason = 'unknown', actor = 'unknown' } = leadingCause(causes) ?? {};
  throw new HoldfastError('EmergencyHalted', `${scope} is ${nameOf(state)} by ${actor}: ${reason}`, {
    scope,
    reason,
    actor,
    epoch,
    state,
  });
}

function nameOf(state: string): string {
  return state === 'shutdown' ? 'shut down' : 'halted';
}

/** Answers with what the desk made of it; a refusal is an answer. Throws `EmergencyUnreachable`. */
export async function command(
  access: TemporalAccess,
  request: DeskCommand | Members,
  deskId = DEFAULT_DESK,
): Promise<CommandAnswer> {
  return call(access, { kind: 'desk', id: deskId }, () =>
    handleOf(access, deskId).executeUpdate(commandUpdate, { args: [request] }),
  );
}

/** A signal, so that it is durable at once even while no worker runs; it also starts a desk that was never started. */
export async function raiseBySignal(
  access: TemporalAccess,
  { action, ...payload }: RaiseCommand,
  deskId = DEFAULT_DESK,
): Promise<void> {
  await call(access, { kind: 'desk', id: deskId }, () =>
    access.client.workflow.signalWithStart(EMERGENCY_DESK, {
      ...deskOptions(access, deskId),
      signal: SIGNALS[action],
      signalArgs: [payload],
    }),
  );
}

export async function recordRefusal(
  access: TemporalAccess,
  refusal: RefusedCommand,
  deskId = DEFAULT_DESK,
): Promise<void> {
  await call(access, { kind: 'desk', id: deskId }, () => handleOf(access, deskId).signal(refusedSignal, refusal));
}

export async function knowsCommand(access: TemporalAccess, commandId: string, deskId = DEFAULT_DESK): Promise<boolean> {
  return call(access, { kind: 'desk', id: deskId }, () =>
    runningOf(access, deskId).query(knowsCommandQuery, commandId),
  );
}

/** What scopes earned, are worth and hold; of a desk that runs. */
export async function deskFigures(access: TemporalAccess, deskId = DEFAULT_DESK): Promise<DeskFigures> {
  return call(access, { kind: 'desk', id: deskId }, () => runningOf(access, deskId).query(figuresQuery));
}

/** What a gate must know; of a desk that runs. */
export async function gateReading(
  access: TemporalAccess,
  commandIds: readonly string[],
  deskId = DEFAULT_DESK,
): Promise<GateReading> {
  return call(access, { kind: 'desk', id: deskId }, () => runningOf(access, deskId).query(gateQuery, commandIds));
}

/** What nobody has ended yet of one account; of a desk that runs. */
export async function openOrders(
  access: TemporalAccess,
  question: OpenOrdersQuestion,
  deskId = DEFAULT_DESK,
): Promise<OpenOrders> {
  return call(access, { kind: 'desk', id: deskId }, () => runningOf(access, deskId).query(openOrdersQuery, question));
}

/** How much of a position can be reduced; of a desk that runs. */
export async function reducible(
  access: TemporalAccess,
  question: ReducibleQuestion,
  deskId = DEFAULT_DESK,
): Promise<string> {
  return call(access, { kind: 'desk', id: deskId }, () => runningOf(access, deskId).query(reducibleQuery, question));
}

export async function requestPermits(
  access: TemporalAccess,
  batch: PermitBatch,
  deskId = DEFAULT_DESK,
): Promise<readonly PermitAnswer[]> {
  return call(access, { kind: 'desk', id: deskId }, () =>
    handleOf(access, deskId).executeUpdate(requestPermitsUpdate, { args: [batch] }),
  );
}

const RECORDS = { fill: recordFillUpdate, mark: recordMarkUpdate, price: recordPriceUpdate };

export async function record(
  access: TemporalAccess,
  kind: keyof typeof RECORDS,
  value: unknown,
  deskId = DEFAULT_DESK,
): Promise<Acceptance> {
  return call(access, { kind: 'desk', id: deskId }, () =>
    handleOf(access, deskId).executeUpdate(RECORDS[kind], { args: [value] }),
  );
}

/** What the desk says of one scope; a normal one that nothing is known of has no entry of its own. Throws `UnknownScope`. */
export function scopeOf(status: DeskStatus, scope: Scope): ScopeStatus {
  const bot = botOf(scope);
  const isKnown = isScope(scope) && (bot === undefined || status.bots.some(({ bot_id }) => bot_id === bot));
  if (!isKnown) throw new HoldfastError('UnknownScope', `There is no scope ${scope.slice(0, LONGEST_SCOPE)}.`);
  const { state: effective_state, can_trade, can_operate } = status;
  return (
    status.scopes.find((each) => each.scope === scope) ?? {
      ...{ scope, state: 'normal', effective_state, can_trade, can_operate, epoch: 0, causes: [], limits: [] },
      ...{ reserved: '0', held: '0', open_orders: 0, unsettled: 0 },
    }
  );
}

export async function terminateDesk(access: TemporalAccess, deskId: string, reason: string): Promise<void> {
  await call(access, { kind: 'desk', id: deskId }, () => handleOf(access, deskId).terminate(reason));
}

export function newCommandId(): string {
  return `cmd_${randomUUID()}`;
}

/** Throws what the desk refuses a command for. */
export function assertAccepted({ ok, error }: CommandAnswer): void {
  if (!ok) throw new HoldfastError(error?.code ?? 'Unexpected', error?.message ?? 'The desk refused it.');
}
