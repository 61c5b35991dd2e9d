/** What the outside is told about an execution. */
import type { Mode } from '../events/envelope';
import { present } from '../json';
import type { ExecutionState } from '../workflows/messages';
import { executionAttributes } from '../workflows/search-attributes';

/** How a closed execution ended; `terminated` and `timed_out` are Temporal's own, without the workflow's say. */
export type ClosedStatus = 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';

export interface ExecutionSummary {
  readonly execution_id: string;
  readonly run_id: string;
  readonly workflow_id: string;
  readonly graph_version: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly mode: Mode;
  readonly state: ExecutionState | ClosedStatus;
  readonly started_at: string;
  readonly closed_at?: string;
}

export interface ExecutionDescription extends ExecutionSummary {
  /** Present once Temporal says the execution is closed. */
  readonly closing?: {
    readonly status: ClosedStatus;
    readonly duration_ms: number;
    readonly error?: string;
    readonly error_type?: string;
  };
}

/** Undefined while the execution is open; a run that continued as new or was paused is not closed. */
export function closedStatus(temporalStatus: string): ClosedStatus | undefined {
  const byName: Readonly<Record<string, ClosedStatus>> = {
    COMPLETED: 'completed',
    FAILED: 'failed',
    CANCELLED: 'cancelled',
    CANCELED: 'cancelled',
    TERMINATED: 'terminated',
    TIMED_OUT: 'timed_out',
  };
  return byName[temporalStatus];
}

/** An execution in its second run carries in its memo when it began; its first run knows it as its own start. */
export function startOf(memo: unknown, runStart: string): string {
  return typeof memo === 'string' ? memo : runStart;
}

/** The part of a summary that search attributes hold; `read` looks one up. */
export function attributesSummary(read: (key: { readonly name: string }) => string | undefined) {
  return {
    workflow_id: read(executionAttributes.workflow) ?? '',
    graph_version: read(executionAttributes.version) ?? '',
    ...present({ bot_id: read(executionAttributes.bot), strategy_id: read(executionAttributes.strategy) }),
    mode: read(executionAttributes.mode) === 'live' ? ('live' as const) : ('paper' as const),
  };
}
