/** What the page reads of what the gateway sends: everything may be missing but what is named here without a question mark. */

/** An event as the page reads it; those of the published client are of this shape. */
export interface TraceEvent {
  readonly event_id: string;
  readonly stream: string;
  readonly log_epoch: string;
  readonly seq: number;
  readonly type: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly execution_id?: string;
  readonly node_id?: string;
  readonly node_type?: string;
  readonly frame?: string;
  readonly generation?: number;
  readonly attempt?: number;
  readonly status?: string;
  readonly reason?: string;
  readonly error?: string;
  readonly error_type?: string;
  readonly outputs?: unknown;
  readonly truncated?: true;
  readonly duration_ms?: number;
  readonly next_attempt_ms?: number;
  readonly scope?: string;
  readonly new_state?: string;
  readonly actor?: string;
  readonly deadline?: string;
  readonly approvers?: readonly string[];
}

export interface GraphNode {
  readonly type: string;
  readonly name?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly after?: readonly string[];
  readonly when?: string;
  readonly body?: { readonly nodes: Readonly<Record<string, GraphNode>> };
}

export interface PageGraph {
  readonly id: string;
  readonly name?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly nodes: Readonly<Record<string, GraphNode>>;
}

export interface WaitStatus {
  readonly kind: string;
  readonly since?: string;
  readonly until?: string;
  readonly name?: string;
  readonly approvers?: readonly string[];
  readonly message?: string;
  readonly why?: string;
}

export interface NodeStatus {
  readonly state: string;
  readonly frame?: string;
  readonly type: string;
  readonly generation?: number;
  readonly attempt?: number;
  readonly outputs?: unknown;
  readonly error?: string;
  readonly error_type?: string;
  readonly reason?: string;
  readonly duration_ms?: number;
  readonly waits_for?: WaitStatus;
}

export interface ExecutionSummary {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly graph_version?: string;
  readonly mode: string;
  readonly state: string;
  readonly started_at: string;
  readonly closed_at?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
}

export interface HaltCause {
  readonly scope: string;
  readonly reason: string;
  readonly since: string;
}

export interface ExecutionDetail extends ExecutionSummary {
  readonly graph: PageGraph;
  /** The same run in Temporal's Web UI. */
  readonly web_ui_url?: string;
  readonly status?: {
    readonly state: string;
    readonly halts?: readonly HaltCause[];
    readonly nodes: Readonly<Record<string, NodeStatus>>;
    readonly error?: string;
    readonly error_type?: string;
  };
}

export interface ExecutionsPage {
  readonly executions: readonly ExecutionSummary[];
  readonly next_page?: string;
}

export interface EventsPage {
  /** False when events after the position could not all be given. */
  readonly recovered: boolean;
  readonly cursor?: { readonly log_epoch: string; readonly seq: number };
  readonly events: readonly TraceEvent[];
}

export interface Deployment {
  readonly workflow_id: string;
  readonly name: string;
  readonly graph_version: string;
  readonly graph: PageGraph;
  readonly paused: boolean;
  readonly note?: string;
  readonly next_runs: readonly string[];
  readonly runs: { readonly started: number; readonly missed: number; readonly skipped: number };
  /** Newest last. */
  readonly recent_executions: readonly string[];
}

/** One mistake of a graph's text; lines and columns are counted from one. */
export interface Mistake {
  readonly code: string;
  /** JSON pointer into the graph. */
  readonly path: string;
  readonly node_id?: string;
  readonly message: string;
  readonly suggestion?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface GraphCheck {
  readonly valid: boolean;
  readonly mistakes: readonly Mistake[];
  /** Of a valid one. */
  readonly graph?: PageGraph;
  readonly graph_version?: string;
  readonly imported: readonly string[];
  /** Of the deployment it would replace. */
  readonly deployed_version?: string;
}

/** What a node came to over several executions. */
export interface NodeFigures {
  readonly runs: number;
  readonly failures: number;
  readonly mean_ms?: number;
  /** How often a condition went which way. */
  readonly branches?: Readonly<Record<string, number>>;
}

export interface GraphFigures {
  readonly graph_version: string;
  readonly executions: number;
  readonly from?: string;
  readonly to?: string;
  readonly nodes: Readonly<Record<string, NodeFigures>>;
}

export interface DeskCause {
  readonly state: string;
  readonly id: string;
  readonly reason: string;
  readonly actor: string;
  readonly since: number;
  readonly epoch: number;
}

export interface LimitStatus {
  readonly limit: string;
  readonly allowed: string;
  readonly used?: string;
  /** `0.8` is 80 percent. */
  readonly utilization?: string;
}

export interface DeskScope {
  readonly scope: string;
  readonly state: string;
  readonly effective_state: string;
  /** Of its latest change. */
  readonly epoch: number;
  /** The latest is the last. */
  readonly causes: readonly DeskCause[];
  readonly halted_at?: number;
  readonly sealed_at?: number;
  readonly awaits_approval_until?: number;
  readonly auto_halt?: boolean;
  readonly limits: readonly LimitStatus[];
  readonly held: string;
  readonly reserved: string;
  readonly open_orders: number;
  readonly unsettled: number;
  readonly realized?: string;
  readonly equity?: string;
}

export interface Bot {
  readonly bot_id: string;
  readonly name: string;
  readonly venues: readonly string[];
  readonly starting_equity: string;
  readonly time_zone: string;
}

export interface Permit {
  readonly permit_id: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: string;
  readonly quantity: string;
  readonly price: string;
  readonly filled: string;
  readonly reduces: boolean;
  readonly status: string;
  readonly unknown?: true;
  readonly at: number;
  readonly execution_id: string;
}

export interface Desk {
  readonly desk_id: string;
  readonly currency: string;
  readonly epoch: number;
  /** Of `global`. */
  readonly state: string;
  readonly scopes: readonly DeskScope[];
  readonly bots: readonly Bot[];
  readonly open_permits: { readonly count: number; readonly unknown: number; readonly listed: readonly Permit[] };
}

/** What a rehearsed halt came to; milliseconds are since the loss that made it. */
export interface DrillReport {
  readonly started_at: string;
  readonly orders: { readonly before: number; readonly during: number; readonly after_refusal: number };
  readonly desk_answered_ms: number;
  readonly first_refusal_ms: number;
  readonly sealed_ms: number;
  readonly execution_halted_ms: number;
  readonly passed: boolean;
  readonly said: readonly string[];
}

export interface AuditEntry {
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly action: string;
  readonly scope: string;
  readonly outcome: string;
  readonly actor: string;
  readonly reason: string;
}

/** What a bot or a strategy came to; decimal texts in the desk's currency. */
export interface Metrics {
  readonly realized_pnl: string;
  readonly unrealized_pnl: string;
  readonly fees: string;
  readonly exposure: string;
  readonly equity?: string;
  readonly drawdown_percent?: string;
  readonly win_rate?: string;
  readonly orders: number;
  readonly executions: number;
  readonly failures: number;
  readonly mean_duration_ms?: number;
}

export interface EquityPoint {
  /** ISO 8601. */
  readonly at: string;
  /** None without a mark or a starting equity. */
  readonly equity?: string | null;
  readonly high_water?: string | null;
}

export interface ResultPoint extends EquityPoint {
  readonly realized: string;
  readonly unrealized: string;
  readonly fees: string;
}

export interface FillMoment {
  readonly at: string;
  readonly order_id: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: string;
  readonly quantity: string;
  /** Realised since the window began, fees off, with this one. */
  readonly profit: string;
}

export interface HaltMoment {
  readonly at: string;
  readonly state: string;
  readonly scope: string;
  readonly actor: string;
  readonly reason: string;
}

/** All oldest first. */
export interface Performance {
  readonly metrics: Metrics;
  readonly equity: readonly ResultPoint[];
  readonly fills: readonly FillMoment[];
  readonly halts: readonly HaltMoment[];
}

export interface BotDetail extends Partial<Bot> {
  readonly emergency: DeskScope;
  readonly metrics?: Metrics;
  readonly metrics_error?: { readonly code: string; readonly message: string };
}

export interface Position {
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  readonly parts: readonly {
    readonly scope: string;
    readonly quantity: string;
    readonly notional: string;
    readonly unrealized: string;
  }[];
}

export interface Order {
  readonly order_id: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: string;
  readonly quantity: string | null;
  readonly price: string | null;
  readonly filled_quantity: string;
  readonly status: string;
  readonly execution_id: string | null;
  readonly updated_at: string;
}
