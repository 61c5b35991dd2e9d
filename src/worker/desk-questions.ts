/** What executions ask of their desk. Run on the graph task queue. */
import { ApplicationFailure } from '@temporalio/common';
import { leadingCause } from '../emergency/causes';
import type { Scope } from '../emergency/model';
import { GLOBAL } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { EmergencyNotice } from '../workflows/desk-messages';

/** Run on the graph task queue: an execution asks before its first node. */
export function createEmergencyCheck(client: HoldfastClient) {
  return {
    /** A halt is an answer and not retried; a desk that does not answer is asked again. */
    assertCanOperate: async (deskId: string, scopes: readonly Scope[]): Promise<void> => {
      try {
        await client.assertCanOperate(deskId, scopes);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        const { message, code, entry, details } = error;
        const notice = code === 'EmergencyHalted' ? [{ ...details }] : [];
        throw ApplicationFailure.create({ message, type: code, nonRetryable: !entry.retryable, details: notice });
      }
    },
  };
}

/** Run on the graph task queue: an execution asks how its desk stands. */
export function createDeskReader(client: HoldfastClient) {
  return {
    readDesk: async (deskId: string, scopes: readonly Scope[]): Promise<readonly EmergencyNotice[]> => {
      const { epoch, scopes: known } = await client.deskStatus(deskId);
      return [GLOBAL, ...scopes].map((scope) => {
        const { state = 'normal', causes = [] } = known.find((each) => each.scope === scope) ?? {};
        return { state, scope, epoch, reason: leadingCause(causes)?.reason ?? 'as the desk says' };
      });
    },
  };
}
