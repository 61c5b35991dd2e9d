/**
 * The emergency desk: one workflow that holds the halt of its scope through any crash. Anyone may raise a halt, by a signal from the
 * Web UI too, and whatever the signal says; only a command that can be read lowers it.
 */
import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  continueAsNew,
  log,
  proxyActivities,
  setDefaultSignalHandler,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { decide, initialDesk, mistakeInCommand, type DeskCommand, type DeskState } from '../emergency/desk';
import { haltReason } from '../emergency/reason';
import { emergencyEvent } from '../events/build';
import { sinks } from './event-sink';
import {
  deskCommandUpdate,
  haltSignal,
  deskStatusQuery,
  type DeskInput,
  type DeskStatus,
  type EmergencyNotice,
} from './messages';

/** Tells every open execution of the desk; retried without end, because a halt that reached the desk must reach them all. */
const { broadcastEmergency } = proxyActivities<{
  broadcastEmergency(deskId: string, notice: EmergencyNotice): Promise<void>;
}>({
  startToCloseTimeout: '60s',
  heartbeatTimeout: '6s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' },
  // An older telling is given up at once when a newer change must be told: executions go by the higher epoch.
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  summary: 'tell the executions',
});

/** Visibility lists an execution a moment after its start, so those that started around a change are told by a second round. */
const SECOND_ROUND_AFTER = '5s';

/**
 * Events after which the desk goes on in a new run. Long before the server suggests it (4,096): another worker replays them all
 * within one workflow task of a second, or never takes over.
 */
const LONGEST_HISTORY = 400;

/** A cancel request would lift a halt by ending the workflow that holds it, so it is not heard. */
export async function emergencyDesk(input: DeskInput): Promise<void> {
  return CancellationScope.nonCancellable(() => hold(input));
}

async function hold({ desk_id, state }: DeskInput): Promise<void> {
  let desk = state ?? initialDesk(Date.now());
  let told = desk.epoch;
  const obey = (command: DeskCommand): void => {
    const next = decide(desk, command, Date.now());
    if (next !== desk) publishChange(desk_id, desk, next);
    desk = next;
  };

  setHandler(deskStatusQuery, () => statusOf(desk_id, desk));
  setHandler(haltSignal, (payload) => {
    obey({ action: 'halt', reason: haltReason(payload), actor: actorOf(payload) });
  });
  setHandler(
    deskCommandUpdate,
    (command) => {
      obey(command);
      return statusOf(desk_id, desk);
    },
    { validator: refuseUnreadable },
  );
  setDefaultSignalHandler((name) => {
    log.warn('signal_ignored', { signal: name });
  });

  const isDue = () => desk.epoch > told;
  const isLong = () => workflowInfo().historyLength >= LONGEST_HISTORY || workflowInfo().continueAsNewSuggested;
  for (;;) {
    await condition(() => isDue() || isLong());
    if (!isDue()) return continueAsNew<typeof emergencyDesk>({ desk_id, state: desk });
    told = desk.epoch;
    await tell(desk_id, { state: desk.state, scope: 'global', epoch: desk.epoch, reason: desk.reason }, isDue);
  }
}

/** Until everybody knows, or a newer change overtakes it: executions go by the higher epoch, so a halt waits for no older telling. */
async function tell(deskId: string, notice: EmergencyNotice, isOvertaken: () => boolean): Promise<void> {
  const scope = new CancellationScope();
  const telling = scope.run(async () => {
    await broadcastEmergency(deskId, notice);
    await sleep(SECOND_ROUND_AFTER);
    await broadcastEmergency(deskId, notice);
  });
  await Promise.race([telling, condition(isOvertaken)]);
  scope.cancel();
  await telling.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

function statusOf(desk_id: string, desk: DeskState): DeskStatus {
  return { desk_id, scope: 'global', ...desk, can_operate: true, can_trade: desk.state === 'normal' };
}

function publishChange(deskId: string, previous: DeskState, next: DeskState): void {
  const fact = {
    type: 'emergency_state_changed',
    controller_id: 'global',
    scope: 'global',
    previous_state: previous.state,
    new_state: next.state,
    reason: next.reason,
    actor: next.actor,
    desk_epoch: next.epoch,
  } as const;
  sinks.events.publish(emergencyEvent(deskId, 'paper', fact, Date.now()));
}

function actorOf(payload: unknown): string {
  const actor = typeof payload === 'object' && payload !== null && 'actor' in payload ? payload.actor : undefined;
  return typeof actor === 'string' && actor !== '' ? actor.slice(0, 200) : 'signal';
}

function refuseUnreadable(command: unknown): void {
  const mistake = mistakeInCommand(command);
  if (mistake !== undefined) throw ApplicationFailure.nonRetryable(mistake, 'BadRequest');
}
