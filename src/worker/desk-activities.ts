/** What the workflows ask of Temporal itself. */
import { heartbeat, sleep } from '@temporalio/activity';
import type { OrderFact, Scope } from '../emergency/model';
import { permissionsOf } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import type { Publication } from '../events/build';
import { present } from '../json';
import type { ExecutionFilter } from '../temporal-client/holdfast-client';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { AuditEntry } from '../journal/entry';
import type { EmergencyNotice } from '../workflows/desk-messages';
import type { DeskActivities } from '../workflows/desk-calls';
import { ExecutionTeller, isTakenBack } from './tell-executions';

/** What the desk tells outside Temporal. */
export interface DeskPorts {
  /** Resolves when the event log has them. */
  readonly publishEvents: (events: readonly Publication[]) => Promise<void>;
  /** Absent where there is no journal: then the desk's own history is the only audit. */
  readonly journal?: DeskJournal;
}

export interface DeskJournal {
  appendAudit(entries: readonly AuditEntry[]): Promise<unknown>;
  recordWitness(deskId: string, epoch: number): Promise<void>;
  witness(deskId: string): Promise<{ readonly epoch: number } | undefined>;
  recordOrders(deskId: string, facts: readonly OrderFact[]): Promise<void>;
}

/** A message that is full is followed by the next at once; after a small one so much is gathered. */
const FULL = 100;
const GATHER_MS = 500;

/** Run on the desk's own task queue. */
export function createDeskActivities(client: HoldfastClient, { publishEvents, journal }: DeskPorts) {
  const desk: DeskActivities = {
    publishDeskEvents: publishEvents,
    appendAudit: async (entries) => {
      const [first] = entries;
      if (journal === undefined || first === undefined) return -1;
      await journal.appendAudit(entries);
      await journal.recordWitness(first.desk_id, Math.max(...entries.map(({ epoch }) => epoch)));
      return (await journal.witness(first.desk_id))?.epoch ?? -1;
    },
    journalOrders: async (deskId, facts) => {
      await journal?.recordOrders(deskId, facts);
      await gather(facts);
    },
    publishOrderEvents: async (events) => {
      await publishEvents(events);
      await gather(events);
    },
    journalWitness: async (deskId) => (await journal?.witness(deskId))?.epoch ?? -1,
  };
  return {
    ...desk,
    broadcastEmergency: async (deskId: string, notice: EmergencyNotice, since?: number): Promise<void> => {
      const teller = new ExecutionTeller({
        tell: (executionId, withinMs) => client.notifyExecution(executionId, notice, withinMs),
        onTold: () => {
          heartbeat();
        },
      });
      let page: string | undefined;
      do {
        if (await isOver(client, deskId, notice)) return;
        heartbeat();
        const listed = await client.listExecutions({
          ...concernedBy(notice.scope),
          open: true,
          desk_id: deskId,
          limit: 1000,
          ...present({ from: since, page }),
        });
        await teller.tell(listed.executions.map(({ execution_id }) => execution_id));
        page = listed.next_page;
      } while (page !== undefined);
      teller.assertAllTold();
    },
  };
}

/**
 * The pause between two messages is part of the activity: a timer of the workflow could fire while no worker is left, and what follows
 * from it would be commanded in another place of its history.
 */
async function gather(told: readonly unknown[]): Promise<void> {
  if (told.length < FULL) await sleep(GATHER_MS);
}

/**
 * A change that has been taken back since is told no more: an execution that started after the resume has heard of neither, and would
 * halt at the first word of it. A halt is told all the same when the desk does not answer; its end is not, because those it halted ask the
 * desk themselves, and a desk that was ended never answers again.
 */
async function isOver(client: HoldfastClient, deskId: string, notice: EmergencyNotice): Promise<boolean> {
  try {
    const { scopes } = await client.deskStatus(deskId);
    const state = scopes.find(({ scope }) => scope === notice.scope)?.state ?? 'normal';
    return isTakenBack(notice.state, state);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return permissionsOf(notice.state).can_trade;
  }
}

/** Of the scopes that concern executions. */
function concernedBy(scope: Scope): ExecutionFilter {
  const colon = scope.indexOf(':');
  const [kind, id] = [scope.slice(0, colon), scope.slice(colon + 1)];
  if (kind === 'bot') return { bot_id: id };
  return kind === 'strategy' ? { strategy_id: id } : {};
}
