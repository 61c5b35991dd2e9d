/** The wire form of every event. Facts, past tense, immutable; snake_case exactly as it is sent. */

export const ENVELOPE_VERSION = 1;

/** Paper trades with recorded or simulated venues; live with real money. */
export type Mode = 'paper' | 'live';

/** What an event is about. Present on the envelope wherever it applies. */
export interface Correlation {
  readonly execution_id?: string;
  readonly workflow_id?: string;
  readonly graph_version?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
}

/**
 * One node's turn: `dispatch` counts how often the workflow handed it out (again after a halt), `attempt` the tries within,
 * 0 where nothing was tried.
 */
export interface NodeTurn {
  readonly node_id: string;
  readonly node_type: string;
  readonly frame: string;
  readonly generation: number;
  readonly dispatch: number;
  readonly attempt: number;
}

interface Fact<T extends string> {
  readonly type: T;
}

export interface ExecutionStarted extends Fact<'execution_started'> {
  readonly node_count: number;
}
export interface ExecutionEnded extends Fact<'execution_completed' | 'execution_failed' | 'execution_cancelled'> {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';
  readonly duration_ms: number;
  readonly error?: string;
  readonly error_type?: string;
}
export interface ExecutionHalted extends Fact<'execution_halted' | 'execution_resumed'> {
  readonly reason: string;
  readonly scope: string;
}
/** The workflow's own word that it ended: only a hint, never shown; the gateway's reconciler checks it and publishes the fact. */
export type ExecutionEnding = Fact<'execution_ending'>;

export type NodeStarted = Fact<'node_started'>;
export interface NodeCompleted extends Fact<'node_completed'> {
  readonly status: 'success';
  readonly duration_ms: number;
  readonly outputs: unknown;
  readonly truncated?: true;
}
export interface NodeRetrying extends Fact<'node_retrying'> {
  readonly error: string;
  readonly error_type: string;
  readonly next_attempt_ms: number;
}
export interface NodeFailed extends Fact<'node_failed'> {
  readonly error: string;
  readonly error_type: string;
  readonly duration_ms: number;
}
export interface NodeSkipped extends Fact<'node_skipped' | 'node_waiting'> {
  readonly reason: string;
}
export interface ApprovalRequested extends Fact<'approval_requested'> {
  /** ISO 8601; absent when it waits for ever. */
  readonly deadline?: string;
  /** Names or roles; absent when any operator may decide. */
  readonly approvers?: readonly string[];
}
export interface ApprovalGiven extends Fact<'approval_given'> {
  /** `deadline` when nobody decided in time. */
  readonly actor: string;
  readonly decision: 'approved' | 'rejected';
}

export interface EmergencyStateChanged extends Fact<'emergency_state_changed'> {
  readonly controller_id: string;
  readonly scope: string;
  readonly previous_state: string;
  readonly new_state: string;
  readonly reason: string;
  readonly actor: string;
  readonly desk_epoch: number;
  /** True: no order of the scope can be accepted by a venue any more. */
  readonly sealed: boolean;
}

/** Told when the venues have said of every order that was to be cancelled what became of it. How many orders ended how. */
export interface OpenOrdersCancelled extends Fact<'open_orders_cancelled'> {
  readonly controller_id: string;
  readonly scope: string;
  readonly actor: string;
  readonly reason: string;
  /** Of the halt or the command; absent where the desk knows of neither. */
  readonly desk_epoch?: number;
  readonly cancelled: number;
  readonly filled: number;
  readonly not_found: number;
  readonly spared: number;
  /** Accounts with orders that nobody can cancel, such as `paper_binance main`. */
  readonly unreachable: readonly string[];
}

/** Told when a flatten has ended: how many of the positions it was to close ended how. */
export interface PositionsFlattened extends Fact<'positions_flattened'> {
  readonly controller_id: string;
  readonly scope: string;
  readonly actor: string;
  readonly reason: string;
  readonly desk_epoch: number;
  readonly command_id: string;
  readonly closed: number;
  readonly partly_closed: number;
  readonly nothing: number;
  readonly refused: number;
  readonly not_filled: number;
  readonly unreached: number;
}

/** How far a limit of a scope is used. Amounts are decimal strings; a utilization of `0.8` is 80 percent. */
export interface RiskLimit extends Fact<'risk_limit_update' | 'risk_limit_approaching' | 'risk_limit_exceeded'> {
  readonly controller_id: string;
  readonly scope: string;
  readonly limit: string;
  readonly used: string;
  readonly allowed: string;
  readonly utilization: string;
  readonly desk_epoch: number;
}

/** The breaker of one worker process; told in the stream of the execution whose call brought the change. */
export interface CircuitStateChanged extends Fact<'circuit_state_changed'> {
  readonly resource: string;
  readonly previous_state: CircuitState;
  readonly new_state: CircuitState;
}
export type CircuitState = 'closed' | 'open' | 'half_open';

export type OrderEventType =
  | 'order_submitted'
  | 'order_partially_filled'
  | 'order_filled'
  | 'order_cancelled'
  | 'order_rejected'
  | 'order_unknown';

/** One order, as it stood when the event was told: in the stream of its execution. */
export interface OrderChanged extends Fact<OrderEventType> {
  readonly order: OrderView;
}

/** Amounts are decimal strings, fills so far in all. */
export interface OrderView {
  /** The client order id where there is one, else the permit's. */
  readonly order_id: string;
  readonly permit_id?: string;
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  /** As permitted; absent where the desk knows no permit of the order any more. The price is the worst one. */
  readonly quantity?: string;
  readonly price?: string;
  /** The desk's. */
  readonly currency: string;
  readonly reduces?: boolean;
  readonly status: string;
  readonly filled_quantity: string;
  readonly filled_notional: string;
  readonly fees: string;
  /** What it realised, before fees; absent while it closed nothing. */
  readonly realized?: string;
}

/** What a bot or a strategy came to; decimal strings in the desk's currency, absent where nobody knows. */
export interface Metrics {
  /** Which span orders, fills, results and executions are counted over, such as `24h`. */
  readonly window: string;
  /** In the window, before fees. */
  readonly realized_pnl: string;
  readonly fees: string;
  readonly unrealized_pnl: string;
  readonly exposure: string;
  readonly equity?: string;
  readonly drawdown_percent?: string;
  readonly orders: number;
  readonly fills: number;
  /** Of the orders that closed something, the part that earned, fees off: `0.5` is half; absent when none did. */
  readonly win_rate?: string;
  /** Ended within the window, and those of them that failed. */
  readonly executions: number;
  readonly failures: number;
  readonly mean_duration_ms?: number;
}

export interface MetricsTold extends Fact<'bot_metrics' | 'strategy_metrics'>, Metrics {}

export type ExecutionFact = ExecutionStarted | ExecutionEnded | ExecutionHalted | ExecutionEnding;
export type NodeFact =
  NodeStarted | NodeCompleted | NodeRetrying | NodeFailed | NodeSkipped | ApprovalRequested | ApprovalGiven;
export type EventFact =
  | ExecutionFact
  | NodeFact
  | CircuitStateChanged
  | EmergencyStateChanged
  | OpenOrdersCancelled
  | PositionsFlattened
  | RiskLimit
  | OrderChanged
  | MetricsTold;
export type EventType = EventFact['type'];

/** An event on its way to the log, before the log has numbered it. `stream` is an execution id, `desk/<desk id>` or `metrics/<desk id>`. */
export type UnnumberedEvent = {
  readonly v: typeof ENVELOPE_VERSION;
  readonly event_id: string;
  readonly stream: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly timestamp: string;
  readonly mode: Mode;
  /** Of the trace its execution was started in: 32 hexadecimal digits. */
  readonly trace_id?: string;
} & Correlation &
  Partial<Omit<NodeTurn, 'dispatch'>> &
  EventFact;

/** An event as the log holds and publishes it. `seq` rises by one per stream within one `log_epoch`. */
export type EventEnvelope = UnnumberedEvent & { readonly log_epoch: string; readonly seq: number };

export const terminalExecutionTypes: ReadonlySet<string> = new Set([
  'execution_completed',
  'execution_failed',
  'execution_cancelled',
]);
