/** What people do to the nodes of an execution: decide, begin anew, pass over, send a message; and running it again from a node. */
import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../errors';
import { planGraph } from '../graph/plan';
import { rerunFrom, type Rerun } from '../graph/rerun';
import { present } from '../json';
import { readDelivery } from '../workflows/mailbox';
import {
  approveUpdate,
  deliverSignal,
  retryNodeUpdate,
  skipNodeUpdate,
  snapshotQuery,
  type ApproveRequest,
  type CarriedExecution,
  type Delivery,
  type NodeRequest,
  type NodeStatus,
  type RunGraphInput,
  type RunGraphResult,
} from '../workflows/messages';
import { call, type TemporalAccess } from './connection';
import { describeExecution, executionInput, startExecution, steer } from './executions';

export async function approveNode(access: TemporalAccess, id: string, request: ApproveRequest): Promise<NodeStatus> {
  return steer(access, id, (handle) => handle.executeUpdate(approveUpdate, { args: [request] }));
}

export async function retryNode(access: TemporalAccess, id: string, request: NodeRequest): Promise<NodeStatus> {
  return steer(access, id, (handle) => handle.executeUpdate(retryNodeUpdate, { args: [request] }));
}

export async function skipNode(access: TemporalAccess, id: string, request: NodeRequest): Promise<NodeStatus> {
  return steer(access, id, (handle) => handle.executeUpdate(skipNodeUpdate, { args: [request] }));
}

/** An execution can only ignore what it cannot take, so that is refused before it is sent. */
export async function deliverMessage(access: TemporalAccess, id: string, message: Delivery): Promise<void> {
  const read = readDelivery(message);
  if (typeof read === 'string') throw new HoldfastError('BadRequest', `This is no message for ${id}: ${read}.`);
  await steer(access, id, (handle) => handle.signal(deliverSignal, message));
}

/** What a completed execution gave. */
export async function executionResult(access: TemporalAccess, id: string): Promise<RunGraphResult> {
  const result: unknown = await call(access, { kind: 'execution', id }, () =>
    access.client.workflow.getHandle(id).result(),
  );
  return result as RunGraphResult;
}

export interface RerunOptions {
  /** A node at the top; without it, what failed or never ran. */
  readonly from?: string;
  /** Of the new execution. */
  readonly execution_id?: string;
  /** A live execution trades again only when this says so. */
  readonly live?: boolean;
  /** Nothing is started, so nothing needs to be confirmed. */
  readonly dry_run?: boolean;
}

export interface RerunAnswer {
  readonly execution_id: string;
  /** The same rerun was asked for before: nothing new runs. */
  readonly already_started?: true;
  /** Nodes whose results were taken over, and nodes that run. */
  readonly adopted: readonly string[];
  readonly again: readonly string[];
  /** Of those that run: because what they gave is no longer held. */
  readonly dropped: readonly string[];
}

export interface PreparedRerun {
  readonly input: RunGraphInput;
  readonly answer: RerunAnswer;
  /** What is run again, to know the same request by. */
  readonly rerun: string;
}

/** What a rerun would do; `startRerun` does it. Throws `ExecutionOpen`, `NodeNotFound`, `LiveNotConfirmed`, `OrderUnheard`, `BadRequest`. */
export async function prepareRerun(
  access: TemporalAccess,
  id: string,
  { from, execution_id, live, dry_run }: RerunOptions,
): Promise<PreparedRerun> {
  const { closing } = await describeExecution(access, id);
  if (closing === undefined) throw new HoldfastError('ExecutionOpen', `${id} has not ended yet.`, { execution_id: id });
  const { graph, version, kinds, mode, inputs, inputs_until, settings } = await executionInput(access, id);
  if (mode === 'live' && live !== true && dry_run !== true) {
    throw new HoldfastError('LiveNotConfirmed', `${id} ran live, and so would its rerun.`);
  }
  const before = await snapshot(access, id);
  const plan = planGraph(graph, kinds);
  if (from !== undefined && !plan.index.has(from)) {
    throw new HoldfastError('NodeNotFound', `The graph ${graph.id} has no node ${from} at its top.`, { node: from });
  }
  const followed = new Set(before.turns.filter(([, , , , , trail]) => trail !== undefined).map(([node]) => node));
  const rerun = rerunFrom(plan, before.graph, { from, followed, kinds });
  assertHeard(id, rerun, from);
  if (rerun.again.length === 0) {
    throw new HoldfastError('BadRequest', `Nothing of ${id} failed or was left out; name the node to run again from.`);
  }
  const adoptedIds = new Set(rerun.adopted.map((node) => plan.index.get(node)));
  const carried: CarriedExecution = {
    ...{ graph: rerun.graph, turns: before.turns.filter(([node]) => adoptedIds.has(node)) },
    ...{ started_at: before.started_at, ordinal: 0, first_at: [], waits: [], mail: [], halts: [], epochs: [] },
    adopted_from: id,
  };
  const { adopted, again, dropped } = rerun;
  return {
    input: {
      graph,
      version,
      kinds,
      mode,
      orders_by_run: true,
      ...present({ inputs, inputs_until, settings }),
      carried,
    },
    answer: {
      execution_id: execution_id ?? `exec_${graph.id}_${randomBytes(4).toString('hex')}`,
      adopted,
      again,
      dropped,
    },
    rerun: from === undefined ? id : `${id} from ${from}`,
  };
}

/** Its order may rest or have filled, and would be there twice. Who names the node itself has looked. */
function assertHeard(id: string, { unheard }: Pick<Rerun, 'unheard'>, from: string | undefined): void {
  const others = unheard.filter((node) => node !== from);
  if (others.length === 0) return;
  const message = `${id} ended before it heard what became of the orders of ${others.join(', ')}.`;
  throw new HoldfastError('OrderUnheard', message, { execution_id: id, nodes: others });
}

export async function startRerun(
  access: TemporalAccess,
  { input, answer, rerun }: PreparedRerun,
): Promise<RerunAnswer> {
  return { ...answer, ...(await startExecution(access, answer.execution_id, input, rerun)) };
}

async function snapshot(access: TemporalAccess, id: string): Promise<CarriedExecution> {
  return call(access, { kind: 'execution', id }, () => access.client.workflow.getHandle(id).query(snapshotQuery));
}
