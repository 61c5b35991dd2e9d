/** The worker of the emergency desks and of what is cancelled and flattened for them, on a task queue of its own. */
import { Worker } from '@temporalio/worker';
import type { Publication } from '../events/build';
import { createCancelActivities } from './cancel-activities';
import type { WorkerDependencies } from './create-worker';
import { createDeskActivities, type DeskPorts } from './desk-activities';
import { createFlattenActivities } from './flatten-activities';
import { commonOptions, tradeBy, versioning, type Tell } from './worker-options';

export async function createDeskWorker(dependencies: WorkerDependencies, tell: Tell): Promise<Worker> {
  const { config } = dependencies;
  return Worker.create({
    ...commonOptions(dependencies, tell),
    ...versioning(config, 'AUTO_UPGRADE'),
    taskQueue: config.temporal.desk_task_queue,
    activities: deskActivities(dependencies),
  });
}

function deskActivities(dependencies: WorkerDependencies) {
  const { client, log, venues = new Map() } = dependencies;
  const ports = deskPorts(dependencies);
  const { publishEvents } = ports;
  return {
    ...createDeskActivities(client, ports),
    ...createCancelActivities({ client, venues, publishEvents }),
    ...createFlattenActivities({ client, venues, publishEvents, log, ...tradeBy(dependencies) }),
  };
}

function deskPorts({ publish, desk }: WorkerDependencies): DeskPorts {
  const publishEvents = (events: readonly Publication[]): Promise<void> => {
    for (const event of events) publish(event);
    return Promise.resolve();
  };
  return { publishEvents, ...desk };
}
