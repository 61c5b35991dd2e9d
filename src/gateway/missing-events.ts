/**
 * What the log lacks of an execution, from the execution's own account of itself. Pure. All of it repairs: the log takes of it what stands
 * above what it has, so an account that is a moment old does no harm.
 */
import type { Snapshot } from '../event-log';
import { executionEvent, nodeEvent, nodeKey, type ExecutionContext, type Publication } from '../events/build';
import { cutOutputs, type CutOutputs } from '../events/cut-outputs';
import type { EventEnvelope, NodeFact, NodeTurn } from '../events/envelope';
import { present } from '../json';
import type { ExecutionStatus, NodeStatus, WaitStatus } from '../workflows/messages';

const TERMINAL: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'node_skipped']);
const WAITS = ['node_waiting', 'approval_requested', 'approval_given', ...TERMINAL];
/**
 * What may stand in the log for a node in its state. A worker tells of an end before the execution has heard of it; one that follows its
 * orders is handed out again and again, and its start is told once; a completion the workflow refused is no end of a node that failed.
 */
const ENOUGH: Readonly<Record<Exclude<NodeStatus['state'], 'pending'>, ReadonlySet<string>>> = {
  running: new Set(['node_started', 'node_retrying', ...WAITS]),
  waiting: new Set(WAITS),
  skipped: TERMINAL,
  completed: TERMINAL,
  failed: new Set(['node_failed', 'node_skipped']),
};
/** Why an execution was resumed is not in its account. */
const RESUMED = { reason: 'told again', scope: 'execution' } as const;

/** True when every node is known to have come to an end; `node_count` counts those at the top. */
export function isComplete({ node_count, nodes }: Snapshot): boolean {
  const events = Object.values(nodes);
  const top = events.filter(({ frame }) => frame === undefined).length;
  return node_count !== undefined && top >= node_count && events.every(isEnd);
}

/** True when the log says nothing of any node, be it that none did anything yet or that it has lost what they did. */
export function isBare({ nodes }: Snapshot): boolean {
  return Object.keys(nodes).length === 0;
}

/** Whether it says how a node ended. */
export function isEnd({ type }: { readonly type: string }): boolean {
  return TERMINAL.has(type);
}

/** The events, in the order to publish them. `at`: for what the account gives no time of. */
export function missingEvents(
  context: ExecutionContext,
  status: ExecutionStatus,
  snapshot: Pick<Snapshot, 'latest' | 'nodes'>,
  at: number,
): Publication[] {
  const nodes = Object.entries(status.nodes).flatMap(([key, node]) => {
    const standing = Object.hasOwn(snapshot.nodes, key) ? snapshot.nodes[key] : undefined;
    const place = { node_id: idOf(key, node), node_type: node.type, frame: node.frame ?? '' };
    return factsOf(node, standing, at).map(({ fact, turn, at: when }) =>
      nodeEvent(context, { ...place, generation: node.generation, ...turn }, fact, when),
    );
  });
  return [...stateEvents(context, status, snapshot, at), ...nodes].map((each) => ({ ...each, repairs: true as const }));
}

function idOf(key: string, { frame = '' }: NodeStatus): string {
  return key.slice(nodeKey(frame, '').length);
}

/** The last change of its state; its start and end are not told from here. */
function stateEvents(
  context: ExecutionContext,
  { ordinal, halts }: ExecutionStatus,
  { latest }: Pick<Snapshot, 'latest'>,
  at: number,
): Publication[] {
  const halt = halts.at(-1);
  if (ordinal === 0) return [];
  const event =
    halt === undefined
      ? executionEvent(context, ordinal, { type: 'execution_resumed', ...RESUMED }, at)
      : executionEvent(context, ordinal, factOfHalt(halt), Date.parse(halt.since));
  return latest?.event_id === event.event.event_id ? [] : [event];
}

function factOfHalt({ reason, scope }: ExecutionStatus['halts'][number]) {
  return { type: 'execution_halted', reason, scope } as const;
}

interface ToldFact {
  readonly fact: NodeFact;
  readonly turn: Pick<NodeTurn, 'dispatch' | 'attempt'>;
  readonly at: number;
}

function factsOf(node: NodeStatus, standing: EventEnvelope | undefined, at: number): ToldFact[] {
  const { state, dispatch, attempt = 1 } = node;
  if (state === 'pending' || isTold(node.generation, standing, ENOUGH[state])) return [];
  const turn = { dispatch, attempt };
  switch (state) {
    case 'running':
      return [{ fact: { type: 'node_started' }, turn, at }];
    case 'waiting':
      return waitFacts(node, turn, at);
    case 'skipped':
      return [skipFact(node, at)];
    case 'completed':
    case 'failed':
      return endFacts(node, standing, turn, at);
  }
}

function isTold(generation: number, standing: EventEnvelope | undefined, enough: ReadonlySet<string>): boolean {
  if (standing === undefined) return false;
  const known = standing.generation ?? 0;
  return known > generation || (known === generation && enough.has(standing.type));
}

function skipFact(node: NodeStatus, at: number): ToldFact {
  const { dispatch, attempt = 0, reason = '' } = node;
  return { fact: { type: 'node_skipped', reason }, turn: { dispatch, attempt }, at: endOf(node, at) };
}

type Turn = ToldFact['turn'];

function endFacts(node: NodeStatus, standing: EventEnvelope | undefined, turn: Turn, at: number): ToldFact[] {
  const ended = endOf(node, at);
  const end = { fact: endFact(node), turn, at: ended };
  if (standing !== undefined) return [end];
  return [{ fact: { type: 'node_started' }, turn, at: ended - durationOf(node) }, end];
}

function endFact(node: NodeStatus): NodeFact {
  const duration_ms = durationOf(node);
  if (node.state === 'completed') return { type: 'node_completed', status: 'success', duration_ms, ...outputsOf(node) };
  const { error = '', error_type = 'Unexpected' } = node;
  return { type: 'node_failed', error, error_type, duration_ms };
}

/** As the workflow tells of waits, in the same order. */
function waitFacts({ waits_for }: NodeStatus, turn: Turn, at: number): ToldFact[] {
  // What a gate keeps back is told by nobody.
  if (waits_for === undefined || waits_for.by_gate === true) return [];
  const since = waits_for.since === undefined ? at : Date.parse(waits_for.since);
  const waits = { fact: { type: 'node_waiting', reason: reasonOf(waits_for) }, turn, at: since } as const;
  if (waits_for.kind === 'deferral') return [{ ...waits, turn: { dispatch: turn.dispatch + 1, attempt: 0 } }];
  const started = { fact: { type: 'node_started' }, turn, at: since } as const;
  if (waits_for.kind !== 'approval') return [started, waits];
  const { until: deadline, approvers } = waits_for;
  const asked = { type: 'approval_requested', ...present({ deadline, approvers }) } as const;
  return [started, waits, { fact: asked, turn, at: since }];
}

function reasonOf(waits: WaitStatus): string {
  switch (waits.kind) {
    case 'timer':
      return `waits until ${shown(waits.until)}`;
    case 'signal':
      return `waits for the message ${shown(waits.name)}`;
    case 'approval':
      return `waits for the approval of ${whoAndWhat(waits)}`;
    case 'child':
      return `runs as ${shown(waits.child_id)}`;
    case 'deferral':
      return `${shown(waits.why)}; tried again at ${shown(waits.until)}`;
  }
}

function whoAndWhat({ approvers, message }: WaitStatus): string {
  const who = approvers === undefined ? 'an operator' : approvers.join(' or ');
  return message === undefined || message === '' ? who : `${who}: ${message}`;
}

function shown(text: string | undefined): string {
  return text ?? '';
}

function endOf({ ended_at }: NodeStatus, at: number): number {
  return ended_at === undefined ? at : Date.parse(ended_at);
}

function durationOf({ duration_ms = 0 }: NodeStatus): number {
  return duration_ms;
}

/** Outputs that were dropped are none. */
function outputsOf({ outputs = {} }: NodeStatus): CutOutputs {
  return cutOutputs(outputs as Readonly<Record<string, unknown>>);
}
