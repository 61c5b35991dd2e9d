/**
 * What the graph language knows about node kinds: plain declarations, no implementation.
 * `KindDeclaration` serves validation and documentation; `KindTraits` is the part an execution carries with it, so that a
 * running one keeps its meaning when a later release changes a kind.
 */

/**
 * How a kind touches the world, which decides how it runs:
 * `pure` as local activity (may run again at any time), `read` and `notify` as activity, `control` inside the workflow.
 */
export type Effect = 'pure' | 'read' | 'notify' | 'control';

/** The type of a field or an output. `decimal` is a decimal string; `formula` a text whose bare references are its edges. */
export type ValueType =
  | 'any'
  | 'text'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'decimal'
  | 'decimals'
  | 'duration'
  | 'formula'
  | 'object'
  | 'list';

export interface FieldDeclaration {
  readonly type: ValueType;
  readonly description: string;
  readonly required: boolean;
  /** As written in a graph; absent when there is none. */
  readonly default?: unknown;
  /** Says in one sentence what is wrong with a literal, or nothing when it is fine. */
  readonly check: (value: unknown) => string | undefined;
}

export interface OutputDeclaration {
  readonly type: ValueType;
  readonly description: string;
}

/** Delays in milliseconds; `max_attempts` counts the first one. */
export interface RetryTraits {
  readonly max_attempts: number;
  readonly initial_ms: number;
  readonly backoff: number;
  readonly max_ms: number;
}

export interface KindTraits {
  readonly effect: Effect;
  /** Names of the control outputs of a condition kind; empty for all others. */
  readonly branches: readonly string[];
  /** Names of the fields that hold a formula, whose bare references are edges. */
  readonly formulas: readonly string[];
  readonly timeout_ms: number;
  readonly retry: RetryTraits;
}

export interface KindDeclaration extends KindTraits {
  readonly type: string;
  readonly description: string;
  readonly fields: Readonly<Record<string, FieldDeclaration>>;
  readonly outputs: Readonly<Record<string, OutputDeclaration>>;
}

export type KindCatalogue = ReadonlyMap<string, KindDeclaration>;
