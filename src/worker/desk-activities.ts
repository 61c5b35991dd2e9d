/** What the workflows ask of Temporal itself. */
import { heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { HoldfastError } from '../errors';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { EmergencyNotice } from '../workflows/messages';

const AT_ONCE = 20;

/** Run on the graph task queue: an execution asks before its first node. */
export function createEmergencyCheck(client: HoldfastClient) {
  return {
    /** A halt is an answer and not retried; a desk that does not answer is asked again. */
    assertCanOperate: async (deskId: string): Promise<void> => {
      try {
        await client.assertCanOperate(deskId);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        const { message, code, entry, details } = error;
        const notice = code === 'EmergencyHalted' ? [{ ...details, state: 'halt' }] : [];
        throw ApplicationFailure.create({ message, type: code, nonRetryable: !entry.retryable, details: notice });
      }
    },
  };
}

/** Run on the desk's own task queue. */
export function createDeskActivities(client: HoldfastClient) {
  return {
    broadcastEmergency: async (deskId: string, notice: EmergencyNotice): Promise<void> => {
      let page: string | undefined;
      do {
        heartbeat();
        const listed = await client.listExecutions({
          open: true,
          desk_id: deskId,
          limit: 1000,
          ...(page === undefined ? {} : { page }),
        });
        await notifyAll(
          client,
          listed.executions.map(({ execution_id }) => execution_id),
          notice,
        );
        page = listed.next_page;
      } while (page !== undefined);
    },
  };
}

async function notifyAll(client: HoldfastClient, ids: readonly string[], notice: EmergencyNotice): Promise<void> {
  const queue = ids.values();
  const lane = async () => {
    for (const id of queue) {
      await client.notifyExecution(id, notice);
      heartbeat();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
