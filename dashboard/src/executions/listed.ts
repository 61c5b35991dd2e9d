/** Executions as lists show them: what Temporal lists, brought up to date by what the feed has told since. Pure. */
import type { ExecutionSummary } from '../wire';

export interface Row {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly mode: string;
  readonly state: string;
  readonly has_ended: boolean;
  /** ISO 8601; of one the list does not hold yet, when it was last heard of. */
  readonly started_at: string;
  readonly closed_at?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
}

/** What the feed says of an execution. */
export interface Told {
  readonly execution_id: string;
  readonly workflow_id?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly mode: string;
  readonly state: string;
  readonly has_ended: boolean;
  readonly last_event_at: string;
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'terminated', 'timed_out']);

/** Newest first. An end is final, whoever says so. */
export function listed(summaries: readonly ExecutionSummary[], told: ReadonlyMap<string, Told>): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const each of told.values()) rows.set(each.execution_id, fromTold(each));
  for (const each of summaries) rows.set(each.execution_id, fromSummary(each, told.get(each.execution_id)));
  return [...rows.values()].toSorted((a, b) => compared(b.started_at, a.started_at));
}

/** Of ISO 8601 plain order is that of time; order by the rules of a language takes ten times as long. */
function compared(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function fromSummary(summary: ExecutionSummary, told: Pick<Told, 'state' | 'has_ended'> | undefined): Row {
  const has_ended = ENDED.has(summary.state);
  if (has_ended || told === undefined) return { ...summary, has_ended };
  // Of waiting no event tells.
  const state = told.state === 'running' && summary.state === 'waiting' ? 'waiting' : told.state;
  return { ...summary, state, has_ended: told.has_ended };
}

function fromTold({ last_event_at, workflow_id = '', ...told }: Told): Row {
  const { execution_id, mode, state, has_ended, bot_id, strategy_id } = told;
  return {
    ...{ execution_id, workflow_id, mode, state, has_ended, started_at: last_event_at },
    ...(bot_id === undefined ? {} : { bot_id }),
    ...(strategy_id === undefined ? {} : { strategy_id }),
  };
}

const COLUMNS = [
  'execution_id',
  'workflow_id',
  'state',
  'mode',
  'bot_id',
  'strategy_id',
  'started_at',
  'closed_at',
] as const;

/** RFC 4180, with a quote before what a spreadsheet would take for a formula. */
export function toCsv(rows: readonly Row[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => cell(row[column] ?? '')).join(','));
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function matches(row: Row, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all = COLUMNS.map((column) => row[column] ?? '')
    .join(' ')
    .toLowerCase();
  return words.every((word) => all.includes(word));
}
