/** What the log lacks of an execution, from the execution's own account of its nodes. Pure. */
import type { Snapshot } from '../event-log';
import { nodeEvent, type ExecutionContext, type Publication } from '../events/build';
import { cutOutputs, type CutOutputs } from '../events/cut-outputs';
import type { EventEnvelope, NodeFact } from '../events/envelope';
import type { ExecutionStatus, NodeStatus } from '../workflows/messages';

const TERMINAL: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'node_skipped']);

/** True when every node is known to have come to an end; `node_count` counts those at the top. */
export function isComplete({ node_count, nodes }: Snapshot): boolean {
  const events = Object.values(nodes);
  const top = events.filter(({ frame }) => frame === undefined).length;
  return node_count !== undefined && top >= node_count && events.every(({ type }) => TERMINAL.has(type));
}

/** The events, in the order to publish them. */
export function missingNodeEvents(
  context: ExecutionContext,
  status: ExecutionStatus,
  snapshot: Snapshot,
  at: number,
): Publication[] {
  return Object.entries(status.nodes).flatMap(([key, node]) => {
    const standing = Object.hasOwn(snapshot.nodes, key) ? snapshot.nodes[key] : undefined;
    const fact = factOf(node);
    if (fact === undefined || isTold(fact, node, standing)) return [];
    const { type: node_type, frame = '', generation, dispatch, attempt = 0 } = node;
    const node_id = key.slice(frame === '' ? 0 : frame.length + 1);
    const turn = { node_id, node_type, frame, generation, dispatch, attempt };
    const end = nodeEvent(context, turn, fact, at);
    if (fact.type === 'node_skipped' || standing !== undefined) return [end];
    return [nodeEvent(context, turn, { type: 'node_started' }, at), end];
  });
}

/** A completion the workflow refused is no end: its own word, a failure, still has to be told. */
function isTold(fact: NodeFact, { generation }: NodeStatus, standing: EventEnvelope | undefined): boolean {
  if (standing === undefined || !TERMINAL.has(standing.type)) return false;
  const refused = fact.type === 'node_failed' && standing.type === 'node_completed';
  return !refused && (standing.generation ?? 0) >= generation;
}

/** The node's terminal fact; undefined while it has none. */
function factOf(node: NodeStatus): NodeFact | undefined {
  switch (node.state) {
    case 'completed':
      return { type: 'node_completed', status: 'success', duration_ms: durationOf(node), ...outputsOf(node) };
    case 'failed':
      return { type: 'node_failed', ...errorOf(node), duration_ms: durationOf(node) };
    case 'skipped':
      return { type: 'node_skipped', reason: node.reason ?? '' };
    case 'pending':
    case 'running':
    case 'waiting':
      return undefined;
  }
}

function durationOf({ duration_ms = 0 }: NodeStatus): number {
  return duration_ms;
}

/** Outputs that were dropped are none. */
function outputsOf({ outputs = {} }: NodeStatus): CutOutputs {
  return cutOutputs(outputs as Readonly<Record<string, unknown>>);
}

function errorOf({ error = '', error_type = 'Unexpected' }: NodeStatus): { error: string; error_type: string } {
  return { error, error_type };
}
