/**
 * What can be said to a workflow and what it answers: the only part of the workflows the outside imports.
 * Names here are the names on the wire: `temporal workflow signal --name halt`.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { DeskCommand, DeskState, EmergencyState } from '../emergency/desk';
import type { Mode } from '../events/envelope';
import type { Graph } from '../graph/schema';
import type { KindTraits } from '../graph/kinds';

export const RUN_GRAPH = 'runGraph';
export const EMERGENCY_DESK = 'emergencyDesk';

/** Everything an execution needs, frozen at its start. */
export interface RunGraphInput {
  readonly graph: Graph;
  /** Content hash of the graph, 12 hex digits. */
  readonly version: string;
  /** The traits of the kinds the graph uses. */
  readonly kinds: Readonly<Record<string, KindTraits>>;
  readonly mode: Mode;
}

export type NodeState = 'pending' | 'running' | 'waiting' | 'completed' | 'failed' | 'skipped';

export interface NodeStatus {
  readonly state: NodeState;
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
  readonly nodes: Readonly<Record<string, NodeStatus>>;
  /** The execution's state changes so far: its start is 0, each halt and resume takes the next. */
  readonly ordinal: number;
  readonly error?: string;
  readonly error_type?: string;
}

export interface RunGraphResult {
  readonly outcome: 'completed';
  readonly nodes: Readonly<Record<NodeState, number>>;
}

/** Any payload halts, also none and nonsense; `{reason}` or a string is kept as the reason. */
export const haltSignal = defineSignal<[unknown?]>('halt');
export const resumeSignal = defineSignal<[unknown?]>('resume');
/** From the desk: the state of one scope. */
export const emergencySignal = defineSignal<[unknown?]>('emergency');
export const statusQuery = defineQuery<ExecutionStatus>('status');

export interface EmergencyNotice {
  readonly state: EmergencyState;
  readonly scope: string;
  readonly epoch: number;
  readonly reason: string;
}

/** The answer of the desk's `status` query. */
export interface DeskStatus extends DeskState {
  readonly desk_id: string;
  readonly scope: 'global';
  /** May what runs be watched, cancelled and wound down? */
  readonly can_operate: boolean;
  /** May executions start and nodes run? */
  readonly can_trade: boolean;
}

export const deskStatusQuery = defineQuery<DeskStatus>('status');

/** Answers with the state the command led to. */
export const deskCommandUpdate = defineUpdate<DeskStatus, [DeskCommand]>('command');

export interface DeskInput {
  readonly desk_id: string;
  /** From the run before. */
  readonly state?: DeskState;
}
