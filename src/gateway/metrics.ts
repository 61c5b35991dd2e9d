/** What a bot or a strategy came to: results from the journal, worth from the desk, executions from Temporal. */
import { decimal, formatDecimal } from '../money';
import type { DeskFigures } from '../emergency/figures';
import type { Metrics } from '../events/envelope';
import { present } from '../json';
import type { Performance } from '../journal/journal';
import { DEFAULT_DESK } from '../temporal-client/desk';
import type { ExecutionSummary, HoldfastClient } from '../temporal-client/holdfast-client';
import { wholeNumber } from '../whole-number';
import { readJournal, type GatewayJournal } from './journal-reads';

export interface MetricsContext {
  readonly client: HoldfastClient;
  readonly journal?: GatewayJournal;
}

export type MetricsOwner = { readonly bot_id: string } | { readonly strategy_id: string };

/** A span as people write it: `90m`, `24h`, `7d`. */
export const WINDOW = /^([1-9]\d{0,3})([mhd])$/;
export const DEFAULT_WINDOW = '24h';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The latest of so many are counted. */
const MOST_EXECUTIONS = 1_000;

export function scopeOfOwner(owner: MetricsOwner): string {
  return 'bot_id' in owner ? `bot:${owner.bot_id}` : `strategy:${owner.strategy_id}`;
}

/** Undefined for a scope that is neither a bot's nor a strategy's. */
export function ownerOf(scope: string): MetricsOwner | undefined {
  const [, kind, id] = /^(bot|strategy):(.+)$/s.exec(scope) ?? [];
  if (id === undefined) return undefined;
  return kind === 'bot' ? { bot_id: id } : { strategy_id: id };
}

export function windowMs(window: string): number {
  const [, count, unit = ''] = WINDOW.exec(window) ?? [];
  return count === undefined ? Number.NaN : wholeNumber(count) * (UNITS[unit] ?? Number.NaN);
}

export type ExecutionCounts = Pick<Metrics, 'executions' | 'failures' | 'mean_duration_ms'>;

export async function countExecutions(
  client: HoldfastClient,
  owner: MetricsOwner,
  since: number,
): Promise<ExecutionCounts> {
  const { executions } = await client.listExecutions({ ...owner, closed_since: since, limit: MOST_EXECUTIONS });
  const durations = executions.map(durationOf);
  const failures = executions.filter(({ state }) => state !== 'completed' && state !== 'cancelled').length;
  const mean = durations.reduce((sum, each) => sum + each, 0) / durations.length;
  return {
    ...{ executions: executions.length, failures },
    ...present({ mean_duration_ms: durations.length === 0 ? undefined : Math.round(mean) }),
  };
}

function durationOf({ started_at, closed_at = started_at }: ExecutionSummary): number {
  return Math.max(0, Date.parse(closed_at) - Date.parse(started_at));
}

/** Throws `JournalUnavailable`, `EmergencyUnreachable`. */
export async function metricsOf(
  { client, journal }: MetricsContext,
  owner: MetricsOwner,
  window: string,
): Promise<Metrics> {
  const since = Date.now() - windowMs(window);
  const [figures, performance, counts] = await Promise.all([
    client.deskFigures(),
    readJournal(journal, (reads) => reads.performance(DEFAULT_DESK, owner, since)),
    countExecutions(client, owner, since),
  ]);
  return assembled(window, { figures, performance, counts }, owner);
}

export interface MetricsParts {
  readonly figures: DeskFigures;
  readonly performance: Performance;
  readonly counts: ExecutionCounts;
}

export function assembled(
  window: string,
  { figures, performance, counts }: MetricsParts,
  owner: MetricsOwner,
): Metrics {
  const scope = scopeOfOwner(owner);
  const found = figures.scopes.find((each) => each.scope === scope);
  const { orders, fills, realized, fees, closed, won } = performance;
  const { unrealized = '0', exposure = '0', equity, drawdown_percent } = found ?? {};
  return {
    ...{ window, realized_pnl: realized, fees, unrealized_pnl: unrealized, exposure, orders, fills },
    ...counts,
    ...present({ equity, drawdown_percent, win_rate: closed === 0 ? undefined : share(won, closed) }),
  };
}

function share(part: number, whole: number): string {
  return formatDecimal(decimal(String(part)).div(decimal(String(whole))), 4);
}
