/** Who says that a command holds, and after how long: the desk, the seal, the executions. */
import type { CommandAnswer, Scope } from '../emergency/model';
import { HoldfastError, asSentence, type ErrorCode } from '../errors';
import type { ExecutionFilter, ExecutionSummary, HoldfastClient } from '../temporal-client/holdfast-client';
import type { ExecutionState } from '../workflows/messages';
import { until } from './until';

export const CONFIRM_MS = 10_000;
const AT_ONCE = 20;
const SILENCE: ReadonlySet<ErrorCode> = new Set(['WorkerUnavailable', 'EmergencyUnreachable']);
const CLOSED: ReadonlySet<ExecutionState> = new Set(['completed', 'failed', 'cancelled']);

export interface Everyone {
  readonly confirmed: readonly string[];
  readonly silent: readonly string[];
}

export interface Watched {
  readonly client: HoldfastClient;
  readonly desk: string;
  readonly scope: Scope;
  /** Whether they are to halt, or to go on. */
  readonly closes: boolean;
}

export function isClosed(state: ExecutionState): boolean {
  return CLOSED.has(state);
}

/** A few at a time: asking every open execution at once would compete with the very tasks that halt them. */
export async function settleAll(watched: Watched): Promise<Everyone> {
  const confirmed: string[] = [];
  const silent: string[] = [];
  const deadline = Date.now() + CONFIRM_MS;
  const queue = (await openExecutions(watched)).values();
  const lane = async (): Promise<void> => {
    for (const { execution_id } of queue) {
      const holds = await until(deadline - Date.now(), () => unlessSilent(() => holdsFor(watched, execution_id)));
      (holds === true ? confirmed : silent).push(execution_id);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { confirmed, silent };
}

/** Scopes of a symbol or a venue judge the single order; no execution halts for them. */
export function concernsExecutions(scope: Scope): boolean {
  return filterOf(scope) !== undefined;
}

function filterOf(scope: Scope): ExecutionFilter | undefined {
  if (scope === 'global') return {};
  if (scope.startsWith('bot:')) return { bot_id: scope.slice('bot:'.length) };
  return scope.startsWith('strategy:') ? { strategy_id: scope.slice('strategy:'.length) } : undefined;
}

/** What one execution does not answer, for whatever reason, is no reason to leave out the others. */
async function unlessSilent<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

async function holdsFor({ client, scope, closes }: Watched, id: string): Promise<true | undefined> {
  const { state, halts } = await client.executionStatus(id);
  if (isClosed(state)) return true;
  const isHeld = halts.some((halt) => halt.scope === scope);
  return (closes ? isHeld || state === 'halted' : !isHeld) || undefined;
}

async function openExecutions({ client, desk, scope }: Watched): Promise<ExecutionSummary[]> {
  const filter = { ...filterOf(scope), desk_id: desk, open: true, limit: 1_000 };
  const found: ExecutionSummary[] = [];
  let page: string | undefined;
  do {
    const next = await client.listExecutions({ ...filter, ...(page === undefined ? {} : { page }) });
    found.push(...next.executions);
    page = next.next_page;
  } while (page !== undefined);
  return found;
}

/** Nobody answers yet: no reason to stop asking before the deadline. */
export async function ifAnswered<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HoldfastError && SILENCE.has(error.code)) return undefined;
    throw error;
  }
}

/** The signal is in Temporal's history: it cannot get lost, it is only not yet carried out. */
export function unconfirmed(what: string, acceptedMs: number): HoldfastError {
  const message = `Temporal accepted it after ${acceptedMs} ms, but ${what}.`;
  return new HoldfastError('WorkerUnavailable', message, { accepted_ms: acceptedMs });
}

/** Throws what the desk refuses a command with, in its words. */
export function assertOk({ ok, error, scope, state, epoch }: CommandAnswer): void {
  if (ok) return;
  const { code = 'Unexpected', message = 'the desk refused it' } = error ?? {};
  throw new HoldfastError(code, asSentence(message), { scope, state, epoch });
}
