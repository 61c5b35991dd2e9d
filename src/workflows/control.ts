/** How a control kind begins: it ends at once, or it waits. Fields were never seen by a worker, so they are checked here. */
import { durationMs } from '../graph/duration';
import { instantMs } from '../graph/instant';
import { isMessageName } from '../graph/names';
import type { GraphRun } from '../graph/graph-run';
import type { Outcome } from '../graph/scheduler';
import { present } from '../json';
import type { Wait } from './messages';

export type Begun =
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  | { readonly kind: 'waits'; readonly wait: Wait; readonly reason: string }
  | { readonly kind: 'loop' }
  | { readonly kind: 'child' };

type Fields = Readonly<Record<string, unknown>>;

export function beginControl(graph: GraphRun, id: number, now: number): Begun {
  const fields = graph.fields(id);
  switch (graph.node(id).type) {
    case 'map':
    case 'repeat':
      return { kind: 'loop' };
    case 'subgraph':
      return { kind: 'child' };
    case 'wait':
      return beginWait(fields, now);
    case 'wait_for_signal':
      return beginSignal(fields, now);
    case 'approval':
      return beginApproval(fields, now);
    case 'set':
      return setVariable(graph, fields);
    case 'get':
      return getVariable(graph, fields);
    default:
      return failed(`no such control kind: ${graph.node(id).type}`, 'UnknownKind');
  }
}

function failed(error: string, error_type = 'InvalidInput'): Begun {
  return { kind: 'ended', outcome: { kind: 'failed', error, error_type } };
}

function beginWait({ for: duration, until }: Fields, now: number): Begun {
  if (duration !== undefined) {
    const ms = durationMs(duration);
    if (ms === undefined) return failed('for: is not a duration');
    return {
      kind: 'waits',
      wait: { kind: 'timer', until: now + ms, since: now },
      reason: `waits for ${typeof duration === 'string' ? duration : `${ms / 1_000} s`}`,
    };
  }
  const instant = instantMs(until);
  if (instant === undefined) return failed('until: is not an instant such as 2026-01-31T12:00:00Z');
  return {
    kind: 'waits',
    wait: { kind: 'timer', until: Math.max(now, instant), since: now },
    reason: `waits until ${new Date(instant).toISOString()}`,
  };
}

function beginSignal({ name, deadline, on_timeout }: Fields, now: number): Begun {
  // Nothing could be delivered under it, and the node would wait for ever.
  if (!isMessageName(name)) return failed('name: must be a text of 1 to 200 characters');
  const until = deadlineFrom(deadline, now);
  if (until === 'wrong') return failed('deadline: is not a duration');
  const wait = {
    kind: 'signal' as const,
    name,
    on_timeout: on_timeout === 'continue' ? ('continue' as const) : ('fail' as const),
    since: now,
    ...present({ until }),
  };
  return { kind: 'waits', wait, reason: `waits for the message ${name}` };
}

function beginApproval({ approvers, deadline, on_timeout, message }: Fields, now: number): Begun {
  const until = deadlineFrom(deadline, now);
  if (until === 'wrong') return failed('deadline: is not a duration');
  if (approvers !== undefined && !isTexts(approvers)) return failed('approvers: must be a list of texts');
  const outcome = on_timeout === 'approve' || on_timeout === 'fail' ? on_timeout : 'reject';
  const wait = {
    kind: 'approval' as const,
    on_timeout: outcome,
    since: now,
    ...present({ approvers, until }),
  } as const;
  const who = approvers === undefined ? 'an operator' : approvers.join(' or ');
  const what = typeof message === 'string' && message !== '' ? `: ${message}` : '';
  return { kind: 'waits', wait, reason: `waits for the approval of ${who}${what}` };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function deadlineFrom(duration: unknown, now: number): number | undefined | 'wrong' {
  if (duration === undefined) return undefined;
  const ms = durationMs(duration);
  return ms === undefined ? 'wrong' : now + ms;
}

function setVariable(graph: GraphRun, { name, value }: Fields): Begun {
  if (typeof name !== 'string') return failed('name: must be a text');
  if (value === undefined) return failed('value: is required');
  const kept = graph.setVariable(name, value);
  if (kept !== undefined) return failed(kept, 'OutputTooLarge');
  return { kind: 'ended', outcome: { kind: 'completed', outputs: { value } } };
}

function getVariable(graph: GraphRun, { name }: Fields): Begun {
  if (typeof name !== 'string') return failed('name: must be a text');
  const value = graph.variable(name);
  return { kind: 'ended', outcome: { kind: 'completed', outputs: value === undefined ? {} : { value } } };
}

/** How a wait ends when its time has come. */
export function outcomeOfTimeout(wait: Exclude<Wait, { kind: 'child' | 'deferral' }>, now: number): Outcome {
  switch (wait.kind) {
    case 'timer':
      return { kind: 'completed', outputs: {} };
    case 'signal':
      if (wait.on_timeout === 'continue') return { kind: 'completed', outputs: {}, branch: 'timed_out' };
      return { kind: 'failed', error: `no message ${wait.name} came in time`, error_type: 'TimeoutError' };
    case 'approval':
      if (wait.on_timeout === 'fail')
        return { kind: 'failed', error: 'nobody decided in time', error_type: 'TimeoutError' };
      return decided({ decision: wait.on_timeout, comment: 'nobody decided in time', now });
  }
}

interface Decided {
  readonly decision: 'approve' | 'reject';
  /** Absent when the deadline decided. */
  readonly actor?: string;
  readonly comment?: string;
  readonly now: number;
}

export function decided({ decision, actor, comment, now }: Decided): Outcome {
  const branch = decision === 'approve' ? 'approved' : 'rejected';
  const at = new Date(now).toISOString();
  return { kind: 'completed', branch, outputs: { decision: branch, at, ...present({ actor, comment }) } };
}
