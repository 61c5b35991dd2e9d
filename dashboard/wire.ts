/** What the page reads of what the gateway sends: everything may be missing but what is named here without a question mark. */

export interface PageEvent {
  readonly event_id: string;
  readonly stream: string;
  readonly seq: number;
  readonly type: string;
  readonly timestamp: string;
  readonly mode?: string;
  readonly execution_id?: string;
  readonly workflow_id?: string;
  readonly node_id?: string;
  readonly node_type?: string;
  readonly generation?: number;
  readonly attempt?: number;
  readonly status?: string;
  readonly reason?: string;
  readonly error?: string;
  readonly error_type?: string;
  readonly outputs?: unknown;
  readonly duration_ms?: number;
  readonly next_attempt_ms?: number;
  readonly new_state?: string;
}

export interface PageSnapshot {
  readonly stream: string;
  readonly latest?: PageEvent;
  readonly nodes: Readonly<Record<string, PageEvent>>;
}

export interface GraphNode {
  readonly type: string;
  readonly name?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly after?: readonly string[];
  readonly when?: string;
}

export interface PageGraph {
  readonly id: string;
  readonly name?: string;
  readonly nodes: Readonly<Record<string, GraphNode>>;
}

export interface NodeStatus {
  readonly state: string;
  readonly type: string;
  readonly attempt?: number;
  readonly outputs?: unknown;
  readonly error?: string;
  readonly error_type?: string;
  readonly reason?: string;
  readonly duration_ms?: number;
}

export interface ExecutionSummary {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly mode: string;
  readonly state: string;
  readonly started_at: string;
}

export interface ExecutionDetail extends ExecutionSummary {
  readonly graph: PageGraph;
  readonly status?: { readonly state: string; readonly nodes: Readonly<Record<string, NodeStatus>> };
}

export interface Deployment {
  readonly workflow_id: string;
  readonly name: string;
  readonly paused: boolean;
  readonly graph: PageGraph;
}

export interface DeskCause {
  readonly state: string;
  readonly id: string;
  readonly reason: string;
  readonly actor: string;
}

export interface DeskScope {
  readonly scope: string;
  readonly state: string;
  /** Of its latest change. */
  readonly epoch: number;
  /** The latest is the last. */
  readonly causes: readonly DeskCause[];
}

export interface Desk {
  /** Of `global`. */
  readonly state: string;
  readonly scopes: readonly DeskScope[];
}

/** What became of a command; without a state nobody at the desk has answered yet. */
export interface DeskAnswer {
  readonly state?: string;
  readonly sealed?: boolean;
  readonly awaits_approval_until?: number;
}
