/** The nodes of an execution as rows for people: many frames of one loop fold into one, and what needs an eye stays. */
import type { ExecutionStatus, NodeState, NodeStatus } from '../workflows/messages';
import { waitWords } from './advice';
import { brief } from './table';

export interface NodeRow {
  /** `price`, `each[3]/price`, and of a whole loop `each[*]/price`. */
  readonly name: string;
  readonly type: string;
  /** `completed`, and of a whole loop `118 completed, 2 running`. */
  readonly state: string;
  /** The one that decides the colour. */
  readonly worst: NodeState;
  readonly attempt?: number;
  readonly duration_ms?: number;
  readonly result: string;
}

export interface NodeRows {
  readonly rows: readonly NodeRow[];
  /** Nodes not shown, by state; empty when all are. */
  readonly left_out: Partial<Record<NodeState, number>>;
}

type Instance = readonly [key: string, node: NodeStatus];

/** Of one node in a loop, so many are shown one by one. */
const FEW = 3;
/** Of a folded one, so many that failed or wait. */
const NOTABLE = 5;
const MOST_ROWS = 200;
const BY_URGENCY = ['failed', 'waiting', 'running', 'pending', 'skipped', 'completed'] as const;

export function nodeRows({ nodes }: Pick<ExecutionStatus, 'nodes'>, { all = false } = {}): NodeRows {
  const instances = Object.entries(nodes);
  if (all) return { rows: instances.map(rowOf), left_out: {} };
  const rows = groupsOf(instances).flatMap(([name, group]) =>
    group.length <= FEW ? group.map(rowOf) : fold(name, group),
  );
  if (rows.length <= MOST_ROWS) return { rows, left_out: {} };
  const kept = rows.filter(({ worst }) => isNotable(worst) || worst === 'running').slice(0, MOST_ROWS);
  const hidden = new Set(rows.filter((row) => !kept.includes(row)).map(({ name }) => name));
  return { rows: kept, left_out: countsOf(instances.filter(([key]) => hidden.has(key) || hidden.has(patternOf(key)))) };
}

/** `3 completed, 1 waiting`, in the order of urgency. */
export function countWords(counts: Partial<Record<NodeState, number>>): string {
  return BY_URGENCY.flatMap((state) => (counts[state] === undefined ? [] : [`${counts[state]} ${state}`])).join(', ');
}

export function countsOf(instances: readonly Instance[]): Partial<Record<NodeState, number>> {
  const counts: Partial<Record<NodeState, number>> = {};
  for (const [, { state }] of instances) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

type Group = readonly [pattern: string, instances: Instance[]];

/** By node whatever its frame, each loop followed by what is inside it. */
function groupsOf(instances: readonly Instance[]): Group[] {
  const groups = new Map<string, Instance[]>();
  for (const instance of instances) {
    const pattern = patternOf(instance[0]);
    const group = groups.get(pattern);
    if (group === undefined) groups.set(pattern, [instance]);
    else group.push(instance);
  }
  const inside = new Map<string, Group[]>();
  for (const group of groups) {
    const owner = ownerOf(group[0]);
    const place = groups.has(owner) ? owner : '';
    const before = inside.get(place);
    if (before === undefined) inside.set(place, [group]);
    else before.push(group);
  }
  const from = (owner: string): Group[] => (inside.get(owner) ?? []).flatMap((group) => [group, ...from(group[0])]);
  return from('');
}

/** `each` of `each[*]/price`; empty at the top. */
function ownerOf(pattern: string): string {
  return /^(.*)\[\*\]\/[^/]+$/.exec(pattern)?.[1] ?? '';
}

function patternOf(key: string): string {
  return key.replace(/\[\d+\]/g, '[*]');
}

function fold(name: string, group: readonly Instance[]): NodeRow[] {
  const notable = group.filter(([, { state }]) => isNotable(state));
  const more = notable.length - NOTABLE;
  const counts = countsOf(group);
  const all: NodeRow = {
    name,
    type: group[0]?.[1].type ?? '',
    state: countWords(counts),
    worst: BY_URGENCY.find((state) => counts[state] !== undefined) ?? 'pending',
    result: more > 0 ? `${more} more failed or waiting than shown` : '',
  };
  return [all, ...notable.slice(0, NOTABLE).map(rowOf)];
}

function isNotable(state: NodeState): boolean {
  return state === 'failed' || state === 'waiting';
}

function rowOf([name, node]: Instance): NodeRow {
  const { type, state, attempt, duration_ms } = node;
  const figures = {
    ...(attempt === undefined ? {} : { attempt }),
    ...(duration_ms === undefined ? {} : { duration_ms }),
  };
  return { name, type, state, worst: state, ...figures, result: resultOf(node) };
}

function resultOf(node: NodeStatus): string {
  if (node.waits_for !== undefined) return waitWords(node.waits_for);
  if (node.error !== undefined) return `${node.error_type ?? 'error'}: ${node.error}`;
  if (node.reason !== undefined) return node.reason;
  const outputs = node.outputs === undefined ? '' : brief(node.outputs);
  return node.branch === undefined ? outputs : `→ ${node.branch} ${outputs}`.trimEnd();
}
