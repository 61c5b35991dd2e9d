/**
 * What can be said to a workflow and what it answers: the only part of the workflows the outside imports.
 * Names here are the names on the wire: `temporal workflow signal --name halt`.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Mode } from '../events/envelope';
import type { CarriedGraph } from '../graph/carry';
import type { Graph } from '../graph/schema';
import type { KindTraits } from '../graph/kinds';

export const RUN_GRAPH = 'runGraph';

/** Everything an execution needs, frozen at its start. */
export interface RunGraphInput {
  readonly graph: Graph;
  /** Content hash of the graph, 12 hex digits. */
  readonly version: string;
  /** The traits of the kinds the graph uses. */
  readonly kinds: Readonly<Record<string, KindTraits>>;
  readonly mode: Mode;
  /**
   * Its orders go by ids of its first run, and not of its name alone: that may be given again once Temporal has forgotten it. Absent in what
   * earlier releases started, whose orders are known by their names.
   */
  readonly orders_by_run?: true;
  /** The values it starts with, checked against the graph's declared inputs, defaults filled in. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** Of a child: until when these may be acted on after a halt, in milliseconds since 1970. */
  readonly inputs_until?: number;
  readonly settings?: ExecutionSettings;
  /** W3C trace context of whoever started it; part of no comparison of starts. */
  readonly traceparent?: string;
  /** The execution whose `subgraph` node this one is. */
  readonly parent?: ParentNode;
  /** What came before: in an earlier run of this execution, or in the execution it is run again from. */
  readonly carried?: CarriedExecution;
}

/** How much one run of the workflow takes on. */
export interface ExecutionSettings {
  /** Activities out at once; default 45. */
  readonly max_in_flight?: number;
  /** Events of history after which the execution continues in a new run; default 1,500, or 3.5 for each that may be out. */
  readonly events_per_run?: number;
  /** Workflow tasks after which it does; default 200. */
  readonly tasks_per_run?: number;
  /** How long a child that was started in an earlier run is trusted to report its own end; default 60,000. */
  readonly check_children_ms?: number;
  /** How long a run that is long enough waits for its activities before it goes on for a while; default 30,000. */
  readonly drain_ms?: number;
}

export interface ParentNode {
  readonly execution_id: string;
  /** `each[3]/other`. */
  readonly node: string;
  readonly generation: number;
  /** How many executions are around it. */
  readonly depth: number;
}

export type NodeState = 'pending' | 'running' | 'waiting' | 'completed' | 'failed' | 'skipped';

export interface NodeStatus {
  readonly state: NodeState;
  /** `each[3]`; absent at the top. */
  readonly frame?: string;
  readonly type: string;
  readonly generation: number;
  readonly dispatch: number;
  readonly attempt?: number;
  readonly branch?: string;
  readonly outputs?: unknown;
  readonly error?: string;
  readonly error_type?: string;
  readonly reason?: string;
  readonly duration_ms?: number;
  /** ISO 8601; absent where it ended in an earlier run. */
  readonly ended_at?: string;
  /** When it was first handed out in its generation, ISO 8601: of what runs inside the execution, and of what has a `total_timeout`. */
  readonly first_at?: string;
  /** Of a node that waits inside the execution. */
  readonly waits_for?: WaitStatus;
}

/** What a node waits for; instants in ISO 8601. */
export interface WaitStatus {
  readonly kind: Wait['kind'];
  readonly since?: string;
  /** When it ends by itself, or is tried again. */
  readonly until?: string;
  /** Of a `wait_for_signal`: the name of the message. */
  readonly name?: string;
  /** Of an `approval`: who may decide, absent when anyone may; and what is asked. */
  readonly approvers?: readonly string[];
  readonly message?: string;
  readonly child_id?: string;
  /** Why an attempt must not be made yet; `by_gate`: for a halt. */
  readonly why?: string;
  readonly by_gate?: true;
}

export type ExecutionState = 'running' | 'halted' | 'waiting' | 'completed' | 'failed' | 'cancelled';

/** Why an execution is halted: its own halt, or the desk's. */
export interface HaltCause {
  readonly scope: string;
  readonly reason: string;
  readonly since: string;
}

/** The answer to the `status` query. */
export interface ExecutionStatus {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly graph_version: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly mode: Mode;
  readonly state: ExecutionState;
  readonly halts: readonly HaltCause[];
  readonly started_at: string;
  /** By frame and node: `price`, `each[3]/price`. Of the frames that ended long ago nothing is kept. */
  readonly nodes: Readonly<Record<string, NodeStatus>>;
  /** What the graph gave; of completed executions alone. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** The execution's state changes so far: its start is 0, each halt and resume takes the next. */
  readonly ordinal: number;
  readonly error?: string;
  readonly error_type?: string;
}

export interface RunGraphResult {
  readonly outcome: 'completed';
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Until when they may be acted on after a halt, in milliseconds since 1970; absent where nothing limits it. */
  readonly good_until?: number;
  readonly nodes: Readonly<Record<NodeState, number>>;
}

/** A turn as it travels: instance, dispatch, attempts used before; attempt, milliseconds and trail where known. */
export type CarriedTurn = readonly [
  id: number,
  dispatch: number,
  used: number,
  attempt?: number | null,
  duration_ms?: number | null,
  trail?: Trail,
];

/** What is kept of a node that follows its orders between its dispatches: see `OrderTrail`. */
export interface Trail {
  readonly memo?: unknown;
  /** The first dispatch that was lost since the memo was left. */
  readonly lost?: number;
}

export interface CarriedExecution {
  readonly started_at: string;
  readonly ordinal: number;
  readonly graph: CarriedGraph;
  readonly turns: readonly CarriedTurn[];
  /** When nodes were first handed out in their generation, in milliseconds since 1970: control kinds, and those with a total timeout. */
  readonly first_at: readonly (readonly [id: number, ms: number])[];
  readonly waits: readonly (readonly [id: number, wait: Wait])[];
  readonly mail: readonly (readonly [name: string, payloads: readonly unknown[]])[];
  readonly halts: readonly HaltCause[];
  readonly epochs: readonly (readonly [scope: string, epoch: number])[];
  /** A cancel was asked for, which Temporal tells the run it came to alone. */
  readonly cancelled?: true;
  /** The execution this one was run again from; absent in a later run of the same one. */
  readonly adopted_from?: string;
}

/** What a node waits for inside the workflow. `until` and `check_at` in milliseconds since 1970. */
export type Wait =
  | { readonly kind: 'timer'; readonly until: number; readonly since: number }
  | {
      readonly kind: 'signal';
      readonly name: string;
      readonly until?: number;
      readonly on_timeout: 'fail' | 'continue';
      readonly since: number;
    }
  | {
      readonly kind: 'approval';
      readonly approvers?: readonly string[];
      readonly until?: number;
      readonly on_timeout: 'reject' | 'approve' | 'fail';
      readonly since: number;
    }
  /** `check_at`: when to look how it stands, in case its own word was lost. */
  | { readonly kind: 'child'; readonly child_id: string; readonly check_at?: number; readonly since: number }
  /** An attempt that must not be made yet: the node is ready and held back; `by_gate` for a halt. */
  | { readonly kind: 'deferral'; readonly until: number; readonly why: string; readonly by_gate?: true };

/** Any payload halts, also none and nonsense; `{reason}` or a string is kept as the reason. */
export const haltSignal = defineSignal<[unknown?]>('halt');
export const resumeSignal = defineSignal<[unknown?]>('resume');
/** From the desk: the state of one scope. Kept by the server until a worker is there to hear it. */
export const emergencySignal = defineSignal<[unknown?]>('emergency');
/** The same, answered when it was heard. */
export const emergencyUpdate = defineUpdate<unknown, [unknown]>('emergency');
/** A message for a `wait_for_signal` node: `{name, payload}`. Kept when no node waits for it yet. */
export const deliverSignal = defineSignal<[unknown?]>('deliver');
/** From a worker that heard of it: the order of a node may have ended. A word to look, which may be wrong, late or sent twice. */
export const lookAgainSignal = defineSignal<[unknown?]>('look_again');
/** From an execution a `subgraph` node started: how it ended. */
export const childEndedSignal = defineSignal<[unknown?]>('child_ended');
export const approveUpdate = defineUpdate<NodeStatus, [ApproveRequest]>('approve');
export const retryNodeUpdate = defineUpdate<NodeStatus, [NodeRequest]>('retry_node');
export const skipNodeUpdate = defineUpdate<NodeStatus, [NodeRequest]>('skip_node');

/** `node`: its key, such as `price` or `each[3]/price`. */
export interface NodeRequest {
  readonly node: string;
  readonly actor: string;
  readonly reason?: string;
}

export interface ApproveRequest {
  readonly node: string;
  readonly decision: 'approve' | 'reject';
  readonly actor: string;
  /** What else the actor may be counted as among the approvers. */
  readonly roles?: readonly string[];
  readonly comment?: string;
}

export interface Delivery {
  readonly name: string;
  readonly payload?: unknown;
}

/** `node`: its key. `dispatch`: the last one that found the order open. */
export interface LookAgain {
  readonly node: string;
  readonly dispatch: number;
}

export interface ChildEnd {
  readonly child_id: string;
  readonly outcome: ChildOutcome;
}

export type ChildOutcome =
  | {
      readonly kind: 'completed';
      readonly outputs: Readonly<Record<string, unknown>>;
      /** Of its `RunGraphResult`. */
      readonly good_until?: number;
    }
  | { readonly kind: 'failed'; readonly error: string; readonly error_type: string };

/** Everything an execution knows, for the next run or for an execution that is run again from here. */
export const snapshotQuery = defineQuery<CarriedExecution>('snapshot');

export const statusQuery = defineQuery<ExecutionStatus>('status');
