/** What the history of one run says of the execution as a whole: its start and end, what it was told and by whom. Pure. */
import { haltReason, resumeReason } from '../emergency/reason';
import { isObject, present } from '../json';
import { decoded, failureWords, instant, msOf, textOf, textsIn } from './history-reading';
import type { HistoryEvent } from './timeline';

export type MarkType =
  | ('started' | 'continued' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out')
  | ('halt' | 'resume' | 'emergency' | 'message' | 'cancel' | 'approve' | 'retry_node' | 'skip_node');

/** One moment. */
export interface TimelineMark {
  /** ISO 8601. */
  readonly at: string;
  /** `continued`: the execution went on in another run. */
  readonly type: MarkType;
  readonly node?: string;
  readonly actor?: string;
  readonly reason?: string;
  /** Of `emergency`: what the desk told. */
  readonly scope?: string;
  readonly state?: string;
  /** Of `message`. */
  readonly name?: string;
  /** Of `approve`. */
  readonly decision?: string;
  readonly comment?: string;
  readonly error?: string;
  readonly error_type?: string;
}

type Said = Omit<TimelineMark, 'at'>;

/** In the order of the history. */
export function marksOf(events: readonly HistoryEvent[]): readonly TimelineMark[] {
  return events.flatMap((event) => {
    const said = endOf(event) ?? told(event) ?? updated(event);
    const at = instant(msOf(event.eventTime));
    return said === undefined || at === undefined ? [] : [{ at, ...said }];
  });
}

/** Whether the execution ended with this run; what is out when it goes on in another (a child) is out there. */
export function hasEnded(events: readonly HistoryEvent[]): boolean {
  return events.some((event) => ![undefined, 'continued'].includes(endOf(event)?.type));
}

function endOf(event: HistoryEvent): Said | undefined {
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed != null) return { type: 'failed', ...(failed.failure == null ? {} : failureWords(failed.failure)) };
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated != null) return { type: 'terminated', ...textsIn(terminated, ['reason']) };
  const ends = [
    ['completed', event.workflowExecutionCompletedEventAttributes],
    ['cancelled', event.workflowExecutionCanceledEventAttributes],
    ['timed_out', event.workflowExecutionTimedOutEventAttributes],
    ['continued', event.workflowExecutionContinuedAsNewEventAttributes],
  ] as const;
  const type = ends.find(([, attributes]) => attributes != null)?.[0];
  return type && { type };
}

function told(event: HistoryEvent): Said | undefined {
  if (event.workflowExecutionStartedEventAttributes != null) return { type: 'started' };
  if (event.workflowExecutionCancelRequestedEventAttributes != null) return { type: 'cancel' };
  const signal = event.workflowExecutionSignaledEventAttributes;
  return signal == null ? undefined : signalled(signal.signalName, decoded(signal.input?.payloads?.[0]));
}

/** What an execution ignores is no mark. */
function signalled(name: unknown, payload: unknown): Said | undefined {
  switch (name) {
    case 'halt':
      return { type: 'halt', reason: haltReason(payload) };
    case 'resume':
      return { type: 'resume', ...present({ reason: resumeReason(payload) }) };
    case 'emergency':
      return { type: 'emergency', ...textsIn(payload, ['scope', 'state', 'reason']) };
    case 'deliver':
      return { type: 'message', ...textsIn(payload, ['name']) };
    default:
      return undefined;
  }
}

const UPDATES = ['approve', 'retry_node', 'skip_node'] as const;

function updated(event: HistoryEvent): Said | undefined {
  const input = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
  return input == null ? undefined : updatedBy(textOf(input.name), decoded(input.args?.payloads?.[0]));
}

function updatedBy(name: string | undefined, request: unknown): Said | undefined {
  if (name === 'emergency') return signalled(name, request);
  const type = UPDATES.find((each) => each === name);
  if (type === undefined || !isObject(request)) return undefined;
  return { type, ...textsIn(request, ['node', 'actor', 'reason', 'decision', 'comment']) };
}
