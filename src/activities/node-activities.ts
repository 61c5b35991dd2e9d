/** Node kinds as Temporal activities: one per kind, under the kind's name. */
import type { BlobStore } from '../blobs/blob-store';
import type { PermitRequest } from '../emergency/model';
import { nodeKey } from '../events/build';
import type { NodeTask } from '../graph/task';
import type { NodeContext, NodeKind, NodeLog, NodeOutcome } from './define-node';
import { LargeValues, pureOutputs } from './large-values';
import { nodeAttempt, type NodeAttempt } from './node-attempt';
import type { Trade } from './trade';

/** Takes a task and returns the outcome; the worker's interceptor adds attempt and duration. */
export type NodeActivity = (task: NodeTask) => Promise<NodeOutcome>;

export interface NodeActivityDependencies {
  /** Where outputs go that an execution cannot carry. */
  readonly blobs: BlobStore;
  readonly log: (task: NodeTask) => NodeLog;
  /** Called for each attempt of a kind that trades; without it none of them can run. */
  readonly openTrade?: (attempt: TradeAttempt) => OpenTrade;
}

/** What an attempt to trade is made for: the node of an execution, or an operator’s command. */
export type TradeTask = Pick<
  NodeTask,
  'execution_id' | 'mode' | 'desk' | 'bot_id' | 'strategy_id' | 'frame' | 'dispatch' | 'trail'
> &
  Partial<Pick<NodeTask, 'workflow_id' | 'first_run'>>;

export interface TradeAttempt extends Pick<NodeContext, 'idempotency_key' | 'signal'>, Pick<NodeAttempt, 'run_id'> {
  readonly task: TradeTask;
  /** Who reduces in a halt, where it is not a node of `on_halt`. */
  readonly purpose?: PermitRequest['purpose'];
}

/** The permits of one attempt. */
export interface OpenTrade extends Trade {
  /** The body has ended: permits it did not use are of no use any more. */
  end(): void;
}

export function createNodeActivities(
  kinds: Iterable<NodeKind>,
  { blobs, ...rest }: NodeActivityDependencies,
): Record<string, NodeActivity> {
  const inWorkers = [...kinds].filter((kind) => kind.effect !== 'control');
  const values = new LargeValues(blobs);
  return Object.fromEntries(inWorkers.map((kind) => [kind.type, (task) => runNode(kind, task, { values, ...rest })]));
}

interface Surroundings extends Omit<NodeActivityDependencies, 'blobs'> {
  readonly values: LargeValues;
}

/** Values are read and stored within the attempt, under its timeout, and what goes wrong there is the attempt's failure. */
async function runNode(kind: NodeKind, task: NodeTask, { values, log, openTrade }: Surroundings): Promise<NodeOutcome> {
  const { signal, run_id } = nodeAttempt.getStore() ?? { signal: new AbortController().signal, run_id: '' };
  const fields = await values.resolve(task.fields);
  const attempt = { task: { ...task, fields }, signal, idempotency_key: idempotencyKey(task) };
  const context = { ...attempt, log: log(task) };
  const outcome =
    kind.effect === 'trade' && openTrade !== undefined
      ? await withTrade(openTrade({ ...attempt, run_id }), (trade) => kind.run(fields, { ...context, trade }))
      : await kind.run(fields, context);
  const outputs = kind.effect === 'pure' ? pureOutputs(outcome.outputs) : await values.store(outcome.outputs);
  return { ...outcome, outputs };
}

async function withTrade(trade: OpenTrade, body: (trade: Trade) => Promise<NodeOutcome>): Promise<NodeOutcome> {
  try {
    return await body(trade);
  } finally {
    trade.end();
  }
}

/** The same for every attempt and every dispatch of a node's generation, so that a receiver recognises a repeat. */
function idempotencyKey({ execution_id, frame, node_id, generation }: NodeTask): string {
  return `${execution_id}/${nodeKey(frame, node_id)}/${generation}`;
}
