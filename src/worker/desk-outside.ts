/** What a worker of the desk is connected to besides: the gates' channel, the journal, the accounts it compares with the desks. */
import { Runtime } from '@temporalio/worker';
import type { Config } from '../config/config';
import { ClosingPublisher } from '../event-log';
import { openJournal } from '../journal/journal';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { Venues } from '../venues/venue';
import type { WorkerDependencies } from './create-worker';
import type { DeskJournal } from './desk-activities';
import { Reconciler } from './reconciler';

export interface DeskOutside extends Pick<WorkerDependencies, 'closeGates'> {
  readonly journal: DeskJournal;
  close(): Promise<void>;
}

export interface DeskOutsideOptions {
  readonly client: HoldfastClient;
  readonly log: Logger;
  readonly venues: Venues;
  /** What is said when something of it fails. */
  readonly saying: (what: string) => (error: unknown) => void;
}

export function openDeskOutside(config: Config, { client, log, venues, saying }: DeskOutsideOptions): DeskOutside {
  const { closing_key } = config.emergency;
  const closings =
    closing_key === undefined
      ? undefined
      : new ClosingPublisher(config.redis.url, closing_key, saying('closings_channel_unavailable'));
  const journal = openJournal(config.journal.url, { onError: saying('journal_connection_broke') });
  const reconciler = reconcilerOf(client, log, venues);
  reconciler.start();
  return {
    journal,
    closeGates: (closing) => void closings?.publish(closing).catch(saying('closing_not_published')),
    close: async () => {
      reconciler.close();
      closings?.close();
      await journal.close();
    },
  };
}

function reconcilerOf(client: HoldfastClient, log: Logger, venues: Venues): Reconciler {
  return new Reconciler({
    accounts: [...venues].flatMap(([venue, { trading }]) => (trading === undefined ? [] : [{ venue, trading }])),
    desks: {
      listDesks: () => client.listDesks(),
      openOrders: (question, deskId) => client.openOrders(question, deskId),
    },
    alert: (command) => client.commandDesk(command),
    log,
    meter: Runtime.instance().metricMeter,
  });
}
