/**
 * Executions that `subgraph` nodes start. They are children that outlive the run that started them, so they report their end to
 * the workflow id of their parent; and because a word can be lost (a terminated child says none), the parent looks for itself.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  ParentClosePolicy,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  startChild,
} from '@temporalio/workflow';
import { MAX_CARRIED_BYTES } from '../graph/limits';
import { weightOf } from '../graph/output-ledger';
import type { PlannedNode } from '../graph/plan';
import type { Graph } from '../graph/schema';
import { present } from '../json';
import {
  childEndedSignal,
  emergencySignal,
  RUN_GRAPH,
  type ChildOutcome,
  type ParentNode,
  type RunGraphInput,
  type RunGraphResult,
} from './messages';
import { startAttributes } from './search-attributes';

export interface SubgraphActivities {
  /** What the deployed graph starts with these inputs. Throws `WorkflowNotFound` and `InputsInvalid`. */
  loadGraph(request: { workflow: string; inputs: Readonly<Record<string, unknown>> }): Promise<RunGraphInput>;
  /** By id; null for those that run. */
  childOutcomes(childIds: readonly string[]): Promise<Readonly<Record<string, ChildOutcome | null>>>;
}

const { loadGraph, childOutcomes } = proxyActivities<SubgraphActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** The scope of a halt that comes from the execution a child belongs to. */
export const PARENT_SCOPE = 'parent';
/** Of the server. */
const LONGEST_ID = 1_000;
/** A deployed graph can name itself. */
const MOST_DEPTH = 10;
/** How long a parent trusts a child to report. */
export const CHECK_CHILDREN_MS = 60_000;
const WORKFLOW_TASK_TIMEOUT = '3s';

export interface Subgraph {
  readonly node: PlannedNode;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Until when these may be acted on after a halt. */
  readonly until: number | undefined;
  readonly link: ParentNode;
}

/** One child of one generation of a node. */
export function childIdOf({ execution_id, node, generation }: ParentNode): string {
  const place = node.replace(/[^A-Za-z0-9_-]+/g, '.');
  return `${execution_id}.${place}${generation === 0 ? '' : `~${generation}`}`;
}

/**
 * Starts the child; resolves when it runs, or with why it was refused. `ended` is told its end as long as this run lasts. What it asks of the
 * server it asks before it returns: in a replay the ends of other nodes may be heard within the same task, and their commands come after.
 */
export async function startSubgraph(
  parent: RunGraphInput,
  subgraph: Subgraph,
  ended: (outcome: ChildOutcome) => void,
): Promise<ChildOutcome | undefined> {
  if (subgraph.link.depth > MOST_DEPTH) {
    const error = `subgraphs stand in each other more than ${MOST_DEPTH} deep`;
    return { kind: 'failed', error, error_type: 'InvalidInput' };
  }
  const workflowId = childIdOf(subgraph.link);
  if (workflowId.length > LONGEST_ID) {
    return {
      kind: 'failed',
      error: `its id would be longer than ${LONGEST_ID} characters`,
      error_type: 'InvalidInput',
    };
  }
  try {
    const input = subgraph.node.child === undefined ? await loaded(parent, subgraph) : written(parent, subgraph);
    const size = weightOf(input);
    if (size > MAX_CARRIED_BYTES) {
      return { kind: 'failed', error: `graph and inputs take ${size} bytes`, error_type: 'InputTooLarge' };
    }
    const handle = await startChild(RUN_GRAPH, {
      args: [input],
      workflowId,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      typedSearchAttributes: startAttributes(input),
      staticSummary: subgraph.link.node,
    });
    (handle.result() as Promise<RunGraphResult>).then(
      ({ outputs, good_until }) => {
        ended({ kind: 'completed', outputs, ...present({ good_until }) });
      },
      (error: unknown) => {
        ended(failureOf(error));
      },
    );
    return undefined;
  } catch (error) {
    return failureOf(error);
  }
}

/** What its node says. */
function written(parent: RunGraphInput, subgraph: Subgraph): RunGraphInput {
  const { version, kinds } = parent;
  const graph = bodyGraph(parent.graph, subgraph.node);
  return { version, kinds, ...passedOn(parent, subgraph), graph, inputs: subgraph.fields };
}

/** What is deployed under the name its node gives. */
async function loaded(parent: RunGraphInput, subgraph: Subgraph): Promise<RunGraphInput> {
  const { workflow, ...inputs } = subgraph.fields;
  return { ...(await loadGraph({ workflow: String(workflow), inputs })), ...passedOn(parent, subgraph) };
}

function passedOn({ mode, settings, traceparent }: RunGraphInput, { link, until }: Subgraph) {
  return {
    mode,
    orders_by_run: true,
    parent: link,
    ...present({ settings, traceparent, inputs_until: until }),
  } as const;
}

function bodyGraph(graph: Graph, { id, child }: PlannedNode): Graph {
  const { bot_id, strategy_id, desk, defaults, variables } = graph;
  return {
    holdfast: 1,
    id: `${graph.id}-${id}`.slice(0, 128),
    ...present({ bot_id, strategy_id, desk, defaults, variables }),
    nodes: child?.nodes ?? {},
    ...present({ outputs: child?.outputs }),
  };
}

function failureOf(error: unknown): ChildOutcome {
  const cause = error instanceof ChildWorkflowFailure || error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) {
    return { kind: 'failed', error: 'the execution was cancelled', error_type: 'ExecutionCancelled' };
  }
  if (cause instanceof ApplicationFailure)
    return { kind: 'failed', error: cause.message, error_type: cause.type ?? 'Unexpected' };
  return { kind: 'failed', error: cause instanceof Error ? cause.message : String(cause), error_type: 'Unexpected' };
}

/** How children stand, by id; null for those that run. */
export async function lookAtChildren(
  childIds: readonly string[],
): Promise<Readonly<Record<string, ChildOutcome | null>>> {
  return CancellationScope.nonCancellable(() => childOutcomes(childIds));
}

/** Resolves when the server has taken it; a closed child needs no telling. */
export async function tellChildHalt(
  childId: string,
  state: 'halt' | 'normal',
  { epoch, reason }: { readonly epoch: number; readonly reason: string },
): Promise<void> {
  const notice = { state, scope: PARENT_SCOPE, epoch, reason };
  await told(childId, () => getExternalWorkflowHandle(childId).signal(emergencySignal, notice));
}

/** Resolves when the server has taken it. */
export async function cancelChild(childId: string): Promise<void> {
  await told(childId, () => getExternalWorkflowHandle(childId).cancel());
}

/** In a scope that is being cancelled the request itself would be. */
async function told(childId: string, request: () => Promise<void>): Promise<void> {
  try {
    await CancellationScope.nonCancellable(request);
  } catch {
    log.info('child_not_told', { child_id: childId });
  }
}

/** A parent that is gone needs no telling. */
export async function reportToParent(
  childId: string,
  parent: ParentNode | undefined,
  outcome: ChildOutcome,
): Promise<void> {
  if (parent === undefined) return;
  try {
    await CancellationScope.nonCancellable(() =>
      getExternalWorkflowHandle(parent.execution_id).signal(childEndedSignal, { child_id: childId, outcome }),
    );
  } catch {
    log.info('parent_not_told', { execution_id: parent.execution_id });
  }
}

export function isChildEnd(payload: unknown): payload is { child_id: string; outcome: ChildOutcome } {
  if (typeof payload !== 'object' || payload === null) return false;
  const { child_id, outcome } = payload as { child_id?: unknown; outcome?: unknown };
  return typeof child_id === 'string' && typeof outcome === 'object' && outcome !== null && isOutcome(outcome);
}

function isOutcome(outcome: object): boolean {
  const { kind, outputs, good_until = 0, error, error_type } = outcome as Record<string, unknown>;
  if (kind === 'completed') return typeof outputs === 'object' && outputs !== null && typeof good_until === 'number';
  return kind === 'failed' && typeof error === 'string' && typeof error_type === 'string';
}
