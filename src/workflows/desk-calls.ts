/** What the desk asks of the world, and how often it asks again. */
import { proxyActivities } from '@temporalio/workflow';
import type { OrderFact } from '../emergency/model';
import type { Publication } from '../events/build';
import type { AuditEntry } from '../journal/entry';

export interface DeskActivities {
  /** Resolves when the log has them. */
  publishDeskEvents(events: readonly Publication[]): Promise<void>;
  /** Resolves when they are in the journal, with the highest epoch it has seen of the desk. */
  appendAudit(entries: readonly AuditEntry[]): Promise<number>;
  /** Resolves when the journal holds them; it takes its time, so that what comes meanwhile travels together. */
  journalOrders(deskId: string, facts: readonly OrderFact[]): Promise<void>;
  /** Resolves when the log has them, at that pace too. */
  publishOrderEvents(events: readonly Publication[]): Promise<void>;
  /** The highest epoch the journal saw of this desk, -1 when it saw none. Throws when the journal is down. */
  journalWitness(deskId: string): Promise<number>;
}

export const RETRY_FIRST_MS = 200;
export const RETRY_MOST_MS = 5_000;

/**
 * Tried again by the server, which leaves no trace in the run. An attempt that ended with its worker must not: where no worker is left a
 * query waits, and the next worker answers it from all events there are by then, also those no workflow task has brought. What follows from
 * them it commands before the updates of its first task, and a replay behind them, so nobody after that worker could take over.
 */
export const activities = proxyActivities<DeskActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: RETRY_FIRST_MS, backoffCoefficient: 2, maximumInterval: RETRY_MOST_MS },
});
/** Whether what must be recorded can be: asked before each command that lowers. */
export const probe = proxyActivities<DeskActivities>({
  startToCloseTimeout: '3s',
  scheduleToCloseTimeout: '4s',
  retry: { maximumAttempts: 1 },
  summary: 'is the journal up',
});
