/**
 * Backfill: the runs a schedule would have made in a past range, made now. Temporal gives them the ids the clock would have given, and
 * starts one again under its id when it has ended: so what has run is looked up first and left out, or an id would mean two executions.
 */
import { msNumberToTs, tsToMs } from '@temporalio/common/lib/time';
import { HoldfastError } from '../errors';
import type { Overlap } from '../graph/overlap';
import { wholeNumber } from '../whole-number';
import type { TemporalAccess } from './connection';
import { TEMPORAL_OVERLAP } from './schedule';

export interface BackfillRange {
  /** ISO 8601, both ends included. */
  readonly from: string;
  /** Not in the future. */
  readonly to: string;
  /** Default `buffer_all`: one after another, none left out. `skip` would start the first alone. */
  readonly overlap?: Overlap;
}

export interface BackfillAnswer {
  readonly workflow_id: string;
  readonly from: string;
  readonly to: string;
  readonly overlap: Overlap;
  /** How many instants were handed to the schedule. */
  readonly instants: number;
  /** How many were due as well and have run already, by the clock or an earlier backfill. */
  readonly left_out: number;
}

/** The server lists no more instants at a time, and buffers half as many runs. */
const MOST_INSTANTS = 500;
/** A schedule that is behind by more than the one run `buffer_one` keeps, or whose backfill still goes on. */
const MOST_WAITING = 1;
const DEFAULT_BACKFILL_OVERLAP: Overlap = 'buffer_all';

interface Span {
  readonly start: Date;
  readonly end: Date;
}

/**
 * Throws `BadRequest` for a range that is none, lies in the future or holds more than 500 instants, and while earlier runs wait:
 * those of a backfill that is still going on cannot be looked up yet. `scheduleId` is Temporal's.
 */
export async function backfill(
  access: TemporalAccess,
  { workflow_id, scheduleId }: { readonly workflow_id: string; readonly scheduleId: string },
  range: BackfillRange,
): Promise<BackfillAnswer> {
  const { overlap = DEFAULT_BACKFILL_OVERLAP } = range;
  const span = spanOf(range);
  const handle = access.client.schedule.getHandle(scheduleId);
  const { raw, spec } = await handle.describe();
  assertNoneWait(wholeNumber(String(raw.info?.bufferSize ?? 0)));
  const due = await dueInstants(access, scheduleId, span);
  if (due.length > MOST_INSTANTS) {
    throw new HoldfastError('BadRequest', `A backfill is of ${MOST_INSTANTS} runs at most; shorten the range.`);
  }
  const jitter = spec.jitter ?? 0;
  const ran = await nominalInstants(access, scheduleId, span, jitter);
  const missing = due.filter((instant) => !ran.some((each) => each <= instant && instant - each <= jitter));
  if (missing.length > 0) {
    const spans = spansOf(due, new Set(missing));
    await handle.backfill(spans.map(({ start, end }) => ({ start, end, overlap: TEMPORAL_OVERLAP[overlap] })));
  }
  const answer = { workflow_id, from: span.start.toISOString(), to: span.end.toISOString(), overlap };
  return { ...answer, instants: missing.length, left_out: due.length - missing.length };
}

function assertNoneWait(waiting: number): void {
  if (waiting <= MOST_WAITING) return;
  throw new HoldfastError('BadRequest', `${waiting} runs of this schedule wait to be started; let them start first.`);
}

function spanOf({ from, to }: BackfillRange): Span {
  const [start, end] = [instantOf('from', from), instantOf('to', to)];
  if (end < start) throw new HoldfastError('BadRequest', `from (${from}) is later than to (${to}).`);
  if (end.getTime() > Date.now()) throw new HoldfastError('BadRequest', `to (${to}) lies in the future.`);
  return { start, end };
}

/** With its zone: a time without one would mean another instant on another machine. */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

function instantOf(name: string, text: string): Date {
  const date = new Date(text);
  if (ISO_8601.test(text) && !Number.isNaN(date.getTime())) return date;
  const message = `${name} is not an instant such as 2026-03-01T09:00:00Z: ${JSON.stringify(text)}.`;
  throw new HoldfastError('BadRequest', message);
}

/** Epoch milliseconds, ascending, jitter included. The server takes the start of this range as excluded, that of a backfill as included. */
async function dueInstants(access: TemporalAccess, scheduleId: string, { start, end }: Span): Promise<number[]> {
  const { startTime } = await access.connection.workflowService.listScheduleMatchingTimes({
    namespace: access.namespace,
    scheduleId,
    startTime: msNumberToTs(start.getTime() - 1),
    endTime: msNumberToTs(end.getTime()),
  });
  return startTime.map(tsToMs);
}

/** SQLite compares instants as texts, by which the end of a range itself is outside. */
const SLACK_MS = 1_000;

/**
 * The instants of the schedule's executions around the range, as they stand in their ids: without jitter. Hence a run with jitter counts
 * as made when one of an instant up to that much earlier exists; in doubt it is left out, which costs a run, where the other way
 * would make one twice.
 */
async function nominalInstants(access: TemporalAccess, scheduleId: string, { start, end }: Span, jitterMs: number) {
  const [from, to] = [start.getTime() - jitterMs - SLACK_MS, end.getTime() + SLACK_MS].map((ms) =>
    new Date(ms).toISOString(),
  );
  const { executions } = await access.connection.workflowService.listWorkflowExecutions({
    namespace: access.namespace,
    query: `TemporalScheduledById = '${scheduleId}' AND TemporalScheduledStartTime BETWEEN '${String(from)}' AND '${String(to)}' AND ExecutionStatus != 'ContinuedAsNew'`,
    pageSize: 1_000,
  });
  return executions.flatMap(({ execution }) => {
    const instant = Date.parse(/-(\d{4}-\d{2}-\d{2}T[\d:]+Z)$/.exec(execution?.workflowId ?? '')?.[1] ?? '');
    return Number.isNaN(instant) ? [] : [instant];
  });
}

/** Neighbouring instants in one span each, cut where one is to be left out. */
function spansOf(due: readonly number[], missing: ReadonlySet<number>): Span[] {
  const starts = due.filter((instant, at) => missing.has(instant) && !missing.has(due[at - 1] ?? NaN));
  const ends = due.filter((instant, at) => missing.has(instant) && !missing.has(due[at + 1] ?? NaN));
  return starts.map((start, at) => ({ start: new Date(start), end: new Date(ends[at] ?? start) }));
}
