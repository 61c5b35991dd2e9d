/** Listing executions through Temporal's visibility store, which lags the truth by up to a few hundred milliseconds. */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../errors';
import { present } from '../json';
import type { ExecutionState } from '../workflows/messages';
import { RUN_GRAPH } from '../workflows/messages';
import { executionAttributes } from '../workflows/search-attributes';
import { wholeNumber } from '../whole-number';
import type { TemporalAccess } from './connection';
import {
  attributesSummary,
  closedStatus,
  startOf,
  type ClosedStatus,
  type ExecutionSummary,
} from './execution-summary';

export interface ExecutionFilter {
  readonly workflow_id?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly desk_id?: string;
  readonly state?: ExecutionState | ClosedStatus;
  /** Only those not yet closed, whatever their state. */
  readonly open?: boolean;
  /** Only those that closed at this moment or later; milliseconds since 1970. */
  readonly closed_since?: number;
  /** Began (its latest run, where it went on in several) at or after, and before; milliseconds since 1970. */
  readonly from?: number;
  readonly to?: number;
  /** Of these alone, whatever else is asked for. */
  readonly bots?: readonly string[];
  readonly strategies?: readonly string[];
  /** 1 to 1,000, default 50. */
  readonly limit?: number;
  /** `next_page` of the page before. */
  readonly page?: string;
}

export interface ExecutionPage {
  readonly executions: readonly ExecutionSummary[];
  /** Absent on the last page. */
  readonly next_page?: string;
}

const CLOSED: Readonly<Record<ClosedStatus, string>> = {
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Canceled',
  terminated: 'Terminated',
  timed_out: 'TimedOut',
};
/** Temporal's numbers of execution states. */
const STATUS_NAMES: Readonly<Record<number, string>> = {
  2: 'COMPLETED',
  3: 'FAILED',
  4: 'CANCELED',
  5: 'TERMINATED',
  7: 'TIMED_OUT',
};

export async function listPage(access: TemporalAccess, filter: ExecutionFilter): Promise<ExecutionPage> {
  const query = queryOf(filter);
  const response = await access.connection.workflowService.listWorkflowExecutions({
    namespace: access.namespace,
    query,
    pageSize: filter.limit ?? 50,
    ...(filter.page === undefined ? {} : { nextPageToken: tokenOf(filter.page, query) }),
  });
  const { nextPageToken: token } = response;
  return {
    executions: response.executions.map(summarise),
    ...(token.length === 0 ? {} : { next_page: pageOf(token, query) }),
  };
}

/** The server's own token and a checksum: the server answers a token it never gave, or gave for another list, with silence. */
function pageOf(token: Uint8Array, query: string): string {
  const sum = createHash('sha256').update(token).update(query).digest('hex').slice(0, 16);
  return `${Buffer.from(token).toString('base64url')}.${sum}`;
}

function tokenOf(page: string, query: string): Uint8Array {
  const token = Buffer.from(page.split('.')[0] ?? '', 'base64url');
  if (pageOf(token, query) !== page) throw new HoldfastError('BadRequest', 'page: is not the next_page of this list.');
  return token;
}

const ID = /^[\w:.-]+$/;

/** The visibility query of a filter. Values are quoted; one with a quote in it cannot be an id and is refused. */
export function queryOf(filter: ExecutionFilter): string {
  const { workflow, bot, strategy, desk, state } = executionAttributes;
  const clauses = [
    `WorkflowType = '${RUN_GRAPH}'`,
    // Earlier runs of executions that went on in a new one.
    `ExecutionStatus != 'ContinuedAsNew'`,
    ...equals(workflow.name, filter.workflow_id),
    ...equals(bot.name, filter.bot_id),
    ...equals(strategy.name, filter.strategy_id),
    ...equals(desk.name, filter.desk_id),
    ...among(bot.name, filter.bots),
    ...among(strategy.name, filter.strategies),
    ...began('>=', filter.from),
    ...began('<', filter.to),
  ];
  if (filter.open === true) clauses.push(`ExecutionStatus = 'Running'`);
  if (filter.closed_since !== undefined) {
    clauses.push(`ExecutionStatus != 'Running'`, `CloseTime >= '${new Date(filter.closed_since).toISOString()}'`);
  }
  if (filter.state !== undefined) {
    const closed = CLOSED[filter.state as ClosedStatus] as string | undefined;
    if (closed === undefined) clauses.push(`ExecutionStatus = 'Running'`, ...equals(state.name, filter.state));
    else clauses.push(`ExecutionStatus = '${closed}'`);
  }
  return clauses.join(' AND ');
}

function equals(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${name} = ${quoted(value)}`];
}

/** What cannot be an id is nobody's; of none at all, `-` is one nobody has. */
function among(name: string, values: readonly string[] | undefined): string[] {
  if (values === undefined) return [];
  const ids = ['-', ...values.filter((value) => ID.test(value))];
  return [`${name} IN (${ids.map(quoted).join(', ')})`];
}

function began(operator: '>=' | '<', at: number | undefined): string[] {
  return at === undefined ? [] : [`StartTime ${operator} '${new Date(at).toISOString()}'`];
}

function quoted(value: string): string {
  if (!ID.test(value)) throw new HoldfastError('BadRequest', `Not an id: ${JSON.stringify(value)}.`);
  return `'${value}'`;
}

type RawExecution = Awaited<
  ReturnType<TemporalAccess['connection']['workflowService']['listWorkflowExecutions']>
>['executions'][number];

function summarise(raw: RawExecution): ExecutionSummary {
  const read = readerOf(raw);
  const closed = closedStatus(statusNameOf(raw));
  return {
    execution_id: String(raw.execution?.workflowId),
    run_id: String(raw.execution?.runId),
    ...attributesSummary(read),
    state: closed ?? ((read(executionAttributes.state) ?? 'running') as ExecutionState),
    started_at: startOf(jsonOf(raw.memo?.fields?.['started_at']?.data), String(isoOf(raw.startTime))),
    ...present({ closed_at: closed === undefined ? undefined : isoOf(raw.closeTime) }),
  };
}

function statusNameOf({ status }: RawExecution): string {
  return STATUS_NAMES[status ?? 0] ?? '';
}

function readerOf(raw: RawExecution) {
  const fields = raw.searchAttributes?.indexedFields ?? {};
  return ({ name }: { readonly name: string }) => keywordOf(fields[name]?.data);
}

function keywordOf(data: Uint8Array | null | undefined): string | undefined {
  const value = jsonOf(data);
  return typeof value === 'string' ? value : undefined;
}

function jsonOf(data: Uint8Array | null | undefined): unknown {
  return data == null ? undefined : (JSON.parse(Buffer.from(data).toString()) as unknown);
}

function isoOf(
  time: { seconds?: { toString(): string } | null; nanos?: number | null } | null | undefined,
): string | undefined {
  if (time == null) return undefined;
  return new Date(
    wholeNumber(String(time.seconds ?? 0)) * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000),
  ).toISOString();
}
