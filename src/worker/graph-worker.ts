/** The worker of executions and their nodes. */
import { Runtime, Worker, type ActivityInterceptorsFactory } from '@temporalio/worker';
import type { NodeKind, NodeLog } from '../activities/define-node';
import { createNodeActivities } from '../activities/node-activities';
import type { OrderPending } from '../activities/order-pending';
import type { NodeTask } from '../graph/task';
import { NodeAdmission } from './admission';
import type { WorkerDependencies } from './create-worker';
import { createDeskReader, createEmergencyCheck } from './desk-questions';
import { NodeInterceptor } from './node-interceptor';
import { nodeSpans } from './node-spans';
import { OrderWaker } from './order-waker';
import { createSubgraphActivities } from './subgraph-activities';
import { commonOptions, tradeBy, versioning, type Tell } from './worker-options';

export async function createGraphWorker(dependencies: WorkerDependencies, tell: Tell): Promise<Worker> {
  const { config, client, kinds, blobs, log } = dependencies;
  const admission = new NodeAdmission({
    circuit_breakers: config.worker.circuit_breakers,
    publish: tell,
    meter: Runtime.instance().metricMeter,
  });
  // Few nodes write a line, so none is prepared for the others.
  const nodeLog = (task: NodeTask): NodeLog => ({
    info: (fields, message) => {
      log.info({ ...correlation(task), ...fields }, message);
    },
  });
  return Worker.create({
    ...commonOptions(dependencies, tell),
    ...versioning(config, 'PINNED'),
    taskQueue: config.temporal.task_queue,
    activities: {
      ...createNodeActivities(kinds.values(), { blobs, log: nodeLog, ...tradeBy(dependencies) }),
      ...createEmergencyCheck(client),
      ...createDeskReader(client),
      ...createSubgraphActivities(client),
    },
    interceptors: { activity: [nodeInterceptor(dependencies, admission, tell)] },
    maxConcurrentActivityTaskExecutions: config.worker.max_concurrent_activities,
    maxConcurrentWorkflowTaskExecutions: config.worker.max_concurrent_workflow_tasks,
  });
}

function nodeInterceptor(
  { kinds, guardOf, tracer, client, log }: Pick<WorkerDependencies, 'kinds' | 'guardOf' | 'tracer' | 'client' | 'log'>,
  admission: NodeAdmission,
  publish: Tell,
): ActivityInterceptorsFactory {
  const enter = (task: NodeTask) => admission.enter(task);
  const waker = new OrderWaker({
    wake: (execution_id, look) => client.lookAgain(execution_id, look),
    onError: (error) => {
      log.info({ error }, 'order_word_not_passed_on');
    },
  });
  const traced = tracer === undefined ? {} : { span: nodeSpans(tracer) };
  const options = {
    isNode: (type: string) => kinds.has(type),
    enter,
    publish,
    ...verdictBy(kinds, guardOf),
    ...traced,
    keepWatch: (task: NodeTask, pending: OrderPending) => {
      waker.keepWatch(task, pending);
    },
  };
  return (context) => ({ inbound: new NodeInterceptor(context, options) });
}

function verdictBy(kinds: ReadonlyMap<string, NodeKind>, guardOf: WorkerDependencies['guardOf']) {
  if (guardOf === undefined) return {};
  const verdict = (task: NodeTask) => guardOf(task.desk).verdict(task, kinds.get(task.node_type)?.effect ?? 'trade');
  return { verdict };
}

function correlation({ execution_id, workflow_id, bot_id, strategy_id, node_id, node_type }: NodeTask) {
  return { execution_id, workflow_id, bot_id, strategy_id, node_id, node_type };
}
