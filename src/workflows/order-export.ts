/**
 * Carries orders to the journal that the desk cannot carry itself any more: what may never be denied (reducing orders, ends, late fills) has
 * no bound while the journal is down, and the desk must stay small enough to go on in a new run.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { OrderExport } from './desk-messages';
import type { DeskActivities } from './desk-calls';

const AT_ONCE = 200;

const { journalOrders } = proxyActivities<Pick<DeskActivities, 'journalOrders'>>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});

export async function deskOrderExport({ desk_id, facts }: OrderExport): Promise<void> {
  for (let from = 0; from < facts.length; from += AT_ONCE) {
    await journalOrders(desk_id, facts.slice(from, from + AT_ONCE));
  }
}
