/** Node kinds as Temporal activities: one per kind, under the kind's name. */
import { HoldfastError } from '../errors';
import type { Effect } from '../graph/kinds';
import type { NodeTask } from '../graph/task';
import { nodeKey } from '../events/build';
import type { NodeKind, NodeLog, NodeOutcome } from './define-node';
import { nodeSignal } from './node-signal';

/** Takes a task and returns the outcome; the worker's interceptor adds attempt and duration. */
export type NodeActivity = (task: NodeTask) => Promise<NodeOutcome>;

/** Characters of JSON. Pure results are kept in the workflow task, so they must be small. */
const LARGEST_OUTPUT: Readonly<Record<Effect, number>> = {
  pure: 16 * 1024,
  control: 16 * 1024,
  read: 256 * 1024,
  notify: 256 * 1024,
};

export function createNodeActivities(
  kinds: Iterable<NodeKind>,
  log: (task: NodeTask) => NodeLog,
): Record<string, NodeActivity> {
  const inWorkers = [...kinds].filter((kind) => kind.effect !== 'control');
  return Object.fromEntries(inWorkers.map((kind) => [kind.type, (task) => runNode(kind, task, log(task))]));
}

async function runNode(kind: NodeKind, task: NodeTask, log: NodeLog): Promise<NodeOutcome> {
  const signal = nodeSignal.getStore() ?? new AbortController().signal;
  const outcome = await kind.run(task.fields, { task, signal, idempotency_key: idempotencyKey(task), log });
  const size = JSON.stringify(outcome.outputs).length;
  const limit = LARGEST_OUTPUT[kind.effect];
  if (size <= limit) return outcome;
  throw new HoldfastError('OutputTooLarge', `${size} characters of output; a ${kind.effect} node may return ${limit}.`);
}

/** The same for every attempt and every dispatch of a node's generation, so that a receiver recognises a repeat. */
function idempotencyKey({ execution_id, frame, node_id, generation }: NodeTask): string {
  return `${execution_id}/${nodeKey(frame, node_id)}/${generation}`;
}
