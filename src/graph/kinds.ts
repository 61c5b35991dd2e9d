/**
 * What the graph language knows about node kinds: plain declarations, no implementation.
 * `KindDeclaration` serves validation and documentation; `KindTraits` is the part an execution carries with it, so that a
 * running one keeps its meaning when a later release changes a kind.
 */
import type { ValueType } from './value-types';

/**
 * How a kind touches the world, which decides how it runs:
 * `pure` as local activity (may run again at any time), `read` and `notify` as activity, `trade` as activity with one attempt and
 * a permit of the desk for every order, `cancel` as activity that no halt keeps back, `control` inside the workflow.
 */
export type Effect = 'pure' | 'read' | 'notify' | 'trade' | 'cancel' | 'control';

export interface FieldDeclaration {
  readonly type: ValueType;
  readonly description: string;
  readonly required: boolean;
  /** As written in a graph; absent when there is none. */
  readonly default?: unknown;
  /** Of a text that must be one of these. */
  readonly choices?: readonly string[];
  /** Of an integer, both included. */
  readonly range?: { readonly min: number; readonly max: number };
  /** Says in one sentence what is wrong with a literal, or nothing when it is fine. */
  readonly check: (value: unknown) => string | undefined;
}

export interface OutputDeclaration {
  readonly type: ValueType;
  readonly description: string;
  /** The field whose value it is, unchanged: then validation knows it where that is a literal. */
  readonly same_as?: string;
}

/** What a node gives its kind, as far as it is known before it runs. */
export interface GivenFields {
  /** Those given as literals, without texts that are filled in when the node runs. */
  readonly literals: Readonly<Record<string, unknown>>;
  /** The names of all that are given. */
  readonly names: ReadonlySet<string>;
}

export interface FieldsProblem {
  /** The field to look at, where it is one. */
  readonly field?: string;
  /** What is wrong, in one sentence without its full stop. */
  readonly message: string;
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
  /** The field that names further branches of a node: the keys of the object it holds. */
  readonly branches_from?: string;
  /** The field that names the resource whose circuit breaker counts, where the node names none itself. */
  readonly resource_from?: string;
  /** Names of the fields that hold a formula, whose bare references are edges. */
  readonly formulas: readonly string[];
  readonly timeout_ms: number;
  readonly retry: RetryTraits;
  /** Of kinds that trade: its orders are followed over several dispatches, and one whose worker was lost is looked up, not given up. */
  readonly follows?: true;
}

export interface KindDeclaration extends KindTraits {
  readonly type: string;
  readonly description: string;
  readonly fields: Readonly<Record<string, FieldDeclaration>>;
  /** What a node may give beside the fields, under any name. */
  readonly open_fields?: FieldDeclaration;
  /** What a node gives beside the outputs can be known by running it alone. */
  readonly open_outputs?: boolean;
  readonly outputs: Readonly<Record<string, OutputDeclaration>>;
  /** Says what is wrong with fields that are fine one by one. */
  readonly check?: (given: GivenFields) => FieldsProblem | undefined;
  /** Of kinds whose nodes hold a graph: they must, or name one in the field `instead_of`. */
  readonly body?: { readonly instead_of?: string };
  /** Of kinds that trade: every order of theirs only reduces what is held, so they may stand in `on_halt`. */
  readonly reduces?: true;
}

export type KindCatalogue = ReadonlyMap<string, KindDeclaration>;
