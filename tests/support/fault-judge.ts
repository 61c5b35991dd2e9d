/** What clients must have been told of executions, and how their views must stand. */
import type { EventReader } from '../../src/event-log';
import type { ExecutionView, NodeView } from '../../src/feed-client';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import type { ExecutionStatus, NodeState } from '../../src/workflows/messages';
import type { Watcher } from './watcher';

export interface NodeTruth {
  readonly state: NodeState;
  readonly generation: number;
  /** Inside a loop; the execution keeps no account of those that ended long ago. */
  readonly frame?: string;
}

export interface Truth {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly bot_id?: string;
  /** As an event says it: `running`, `halted`, or how it ended. */
  readonly state: string;
  readonly has_ended: boolean;
  readonly nodes: Readonly<Record<string, NodeTruth>>;
}

/** How a view may show what is so. */
const SHOWN: Readonly<Record<NodeState, readonly (NodeView['state'] | undefined)[]>> = {
  pending: [undefined],
  running: ['running', 'retrying'],
  waiting: ['waiting', 'awaiting approval'],
  completed: ['completed'],
  failed: ['failed'],
  skipped: ['skipped'],
};

/** What Temporal and the execution itself say. */
export async function truthOf(client: HoldfastClient, executionId: string): Promise<Truth> {
  const status = await client.executionStatus(executionId);
  const { closing } = await client.describeExecution(executionId);
  const { execution_id, workflow_id, bot_id } = status;
  return {
    ...{ execution_id, workflow_id, ...(bot_id === undefined ? {} : { bot_id }) },
    state: closing?.status ?? (status.state === 'halted' ? 'halted' : 'running'),
    has_ended: closing !== undefined,
    nodes: nodesOf(status),
  };
}

function nodesOf({ nodes }: ExecutionStatus): Truth['nodes'] {
  const all = Object.entries(nodes).map(([key, { state, generation, frame }]): [string, NodeTruth] => [
    key,
    { state, generation, ...(frame === undefined ? {} : { frame }) },
  ]);
  return Object.fromEntries(all);
}

/** Where a view is not as it is, in words. */
export function differences(view: ExecutionView | undefined, truth: Truth): string[] {
  const { execution_id, state, has_ended, nodes } = truth;
  if (view === undefined) return [`${execution_id} is not in view`];
  const wrong = Object.entries(nodes).flatMap(([key, node]) => {
    const shown = view.nodes[key];
    if (SHOWN[node.state].includes(shown?.state) && (shown?.event.generation ?? node.generation) === node.generation)
      return [];
    return [`${execution_id}/${key} is ${node.state} and shows as ${shown?.state ?? 'nothing'}`];
  });
  const strange = Object.values(view.nodes).filter(
    ({ node_id, frame }) => frame === undefined && !Object.hasOwn(nodes, node_id),
  );
  if (view.state !== state || view.has_ended !== has_ended)
    wrong.push(`${execution_id} is ${state}, shows ${view.state}`);
  if (view.node_count === undefined) wrong.push(`${execution_id} has no node count`);
  return [...wrong, ...strange.map(({ node_id }) => `${execution_id} has no node ${node_id}`)];
}

/** The events the log was seen to hold, by stream. */
export class Held {
  readonly #events = new Map<string, Set<string>>();

  add(stream: string, eventId: string): void {
    const events = this.#events.get(stream) ?? new Set();
    this.#events.set(stream, events.add(eventId));
  }

  /** All that the log holds of these now. */
  async note(reader: EventReader, streams: readonly string[]): Promise<void> {
    for (const stream of streams) {
      const { events } = await reader.replay(stream, undefined, 2_000);
      for (const { event_id } of events) this.add(stream, event_id);
    }
  }

  of(stream: string): ReadonlySet<string> {
    return this.#events.get(stream) ?? new Set();
  }
}

/** What is not as it must be for one client now; empty once it is. */
export function notYet(watcher: Watcher, truths: readonly Truth[]): string[] {
  const { status } = watcher.feed;
  const followed = truths.filter((truth) => watcher.follows(truth));
  const wrong = followed.flatMap((truth) => differences(watcher.feed.execution(truth.execution_id), truth));
  const words = status.state === 'live' ? wrong : [`is ${status.state}`, ...wrong];
  return words.map((each) => `${watcher.name}: ${each}`);
}

/** What can be made good no more: a hole nobody noticed, an event that came twice. */
export function faultsOf(watcher: Watcher, truths: readonly Truth[], held: Held): string[] {
  const holes = truths.flatMap((truth) => {
    if (!watcher.follows(truth)) return [];
    const { execution_id } = truth;
    const count = watcher.unnoticed(execution_id, held.of(execution_id));
    return count === 0 ? [] : [`${execution_id}: ${count} events are missing and nobody said so`];
  });
  return [...holes, ...watcher.wrong].map((each) => `${watcher.name}: ${each}`);
}
