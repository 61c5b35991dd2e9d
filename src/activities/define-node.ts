/**
 * A node kind in one declaration: what the language may say about it (fields, outputs, branches), how it runs (effect,
 * timeout, retry) and what it does. `docs/NODES.md` and `holdfast nodes` are printed from it.
 *
 *     export const spread = defineNode({
 *       type: 'spread', family: 'arithmetic', effect: 'pure',
 *       description: 'Distance between two prices in basis points.',
 *       fields: { a: field.decimal('Price compared.'), b: field.decimal('Price compared with.') },
 *       outputs: { bps: output('decimal', '(a − b) / b · 10⁴.') },
 *       run: ({ a, b }) => ({ outputs: { bps: … } }),
 *     });
 */
import { z } from 'zod';
import { HoldfastError } from '../errors';
import { durationMs } from '../graph/duration';
import { wordsOf } from '../graph/issue-words';
import type {
  Effect,
  FieldDeclaration,
  FieldsProblem,
  GivenFields,
  KindDeclaration,
  OutputDeclaration,
  RetryTraits,
} from '../graph/kinds';
import type { ValueType } from '../graph/value-types';
import type { NodeSpec } from '../graph/schema';
import type { FormulaValue, NodeTask } from '../graph/task';
import { present } from '../json';
import { isDecimal } from '../money';
import type { Trade } from './trade';

/** What a node's body is given beside its fields. */
export interface NodeContext {
  readonly task: NodeTask;
  /** Aborted when the node's timeout passes; a body that ends later is ignored. */
  readonly signal: AbortSignal;
  /** The same for every attempt of one node, so a receiver can recognise a repeat. */
  readonly idempotency_key: string;
  readonly log: NodeLog;
  /** For kinds of effect `trade`, and no others. */
  readonly trade?: Trade;
}

/** What the body of a kind of effect `E` is given. */
export type ContextOf<E extends Effect> = [E] extends ['trade'] ? NodeContext & { readonly trade: Trade } : NodeContext;

export interface NodeLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface NodeOutcome {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly branch?: string;
}

/** One field: the language's declaration and the zod schema its value must pass when the node runs. */
export interface Field<T> {
  readonly declaration: FieldDeclaration;
  readonly schema: z.ZodType<T>;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValuesOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** `O`: what each of its open fields holds. */
export interface NodeDefinition<F extends Fields, O = never, E extends Effect = Effect> {
  readonly type: string;
  /** The page of the reference it stands on. */
  readonly family: string;
  readonly effect: E;
  readonly description: string;
  /** A node of this kind as an author writes it; `docs/NODES.md` shows it. */
  readonly example?: NodeSpec;
  readonly fields: F;
  /** What a node may give beside the fields, under any name. */
  readonly open_fields?: Field<O>;
  readonly outputs: Readonly<Record<string, OutputDeclaration>>;
  /** What a node gives beside the outputs is known only when it has run. */
  readonly open_outputs?: boolean;
  readonly branches?: readonly string[];
  /** The field that names further branches: the keys of the object it holds. */
  readonly branches_from?: Extract<keyof F, string>;
  /** The field that names the resource whose circuit breaker counts its calls, unless the node names another. */
  readonly resource_from?: Extract<keyof F, string>;
  /** Says what is wrong with fields that are fine one by one: before anything runs, and again with the values of a run. */
  readonly check?: (given: GivenFields) => FieldsProblem | undefined;
  /** Of kinds whose nodes hold a graph: they must, or name one in the field `instead_of`. */
  readonly body?: { readonly instead_of?: string };
  readonly timeout_ms?: number;
  readonly retry?: Partial<RetryTraits>;
  /** Of kinds that trade: see `KindTraits`. The body sends nothing of which `task.trail` may know. */
  readonly follows?: true;
  /** Of kinds that trade: see `KindDeclaration`. */
  readonly reduces?: true;
  /** `open` holds the open fields, in the order they are written. */
  readonly run: (
    fields: ValuesOf<F>,
    context: ContextOf<E>,
    open: Readonly<Record<string, O>>,
  ) => NodeOutcome | Promise<NodeOutcome>;
}

/** A node kind ready to be declared to the language and run by a worker. */
export interface NodeKind extends KindDeclaration {
  readonly family: string;
  readonly example?: NodeSpec;
  /** The fields as the body is given them: checked, with their defaults. Throws `InvalidInput` naming the field. */
  readonly parse: (fields: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** Checks the fields and runs the body. Throws `InvalidInput` naming the field. */
  readonly run: (fields: Readonly<Record<string, unknown>>, context: NodeContext) => Promise<NodeOutcome>;
}

const PURE_TIMEOUT_MS = 1_000;
const TIMEOUT_MS = 30_000;
const PURE_RETRY: RetryTraits = { max_attempts: 1, initial_ms: 1_000, backoff: 2, max_ms: 60_000 };
const RETRY: RetryTraits = { max_attempts: 3, initial_ms: 1_000, backoff: 2, max_ms: 60_000 };
/** An order whose end is not known is looked up, never sent again on a guess. */
const TRADE_RETRY: RetryTraits = { max_attempts: 1, initial_ms: 1_000, backoff: 2, max_ms: 60_000 };

/** What is to be cancelled is asked for until the venue has said what became of it. */
const CANCEL_RETRY: RetryTraits = { max_attempts: 20, initial_ms: 500, backoff: 2, max_ms: 10_000 };

export function defineNode<F extends Fields, O = never, E extends Effect = Effect>(
  definition: NodeDefinition<F, O, E>,
): NodeKind {
  const { fields, open_fields, run, branches = [], retry, ...rest } = definition;
  const pure = definition.effect === 'pure';
  const parse = parserOf(definition);
  return {
    ...rest,
    ...present({ open_fields: open_fields?.declaration }),
    branches,
    formulas: Object.keys(fields).filter((name) => fields[name]?.declaration.type === 'formula'),
    timeout_ms: definition.timeout_ms ?? (pure ? PURE_TIMEOUT_MS : TIMEOUT_MS),
    retry: { ...retryOf(definition.effect), ...retry },
    fields: mapValues(fields, (each) => each.declaration),
    parse: (values) => {
      const given = parse(values);
      return { ...given.fields, ...given.open };
    },
    run: async (values, context) => {
      const given = parse(values);
      return run(given.fields, contextFor(definition, context), given.open);
    },
  };
}

function retryOf(effect: Effect): RetryTraits {
  switch (effect) {
    case 'pure':
      return PURE_RETRY;
    case 'trade':
      return TRADE_RETRY;
    case 'cancel':
      return CANCEL_RETRY;
    case 'read':
    case 'notify':
    case 'control':
      return RETRY;
  }
}

/** Throws `Unexpected` where a kind that trades is run without a desk. */
function contextFor<E extends Effect>({ type, effect }: { type: string; effect: E }, context: NodeContext) {
  if (effect === 'trade' && context.trade === undefined) {
    throw new HoldfastError('Unexpected', `the kind ${type} trades, and there is no desk to ask for permits`);
  }
  return context as ContextOf<E>;
}

/** What a body takes from the values of a run. Throws `InvalidInput` naming the fields. */
function parserOf<F extends Fields, O>({ fields, open_fields, check }: NodeDefinition<F, O>) {
  const shape = mapValues(fields, (each) => each.schema);
  const schema = open_fields === undefined ? z.strictObject(shape) : z.object(shape).catchall(open_fields.schema);
  return (values: Readonly<Record<string, unknown>>) => {
    const parsed = schema.safeParse(values);
    if (!parsed.success) throw invalidInput(parsed.error.issues.map(issueText));
    const problem = check?.({ literals: values, names: new Set(Object.keys(values)) });
    if (problem !== undefined) throw invalidInput([problemText(problem)]);
    const data: Readonly<Record<string, unknown>> = parsed.data;
    const open = Object.keys(values).filter((name) => !Object.hasOwn(fields, name));
    return {
      fields: data as ValuesOf<F>,
      open: Object.fromEntries(open.map((name) => [name, data[name]])) as Record<string, O>,
    };
  };
}

function issueText(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.') || 'fields'}: ${wordsOf(issue)}`;
}

function problemText({ field: name, message }: FieldsProblem): string {
  return name === undefined ? message : `${name}: ${message}`;
}

function invalidInput(issues: readonly string[]): HoldfastError {
  return new HoldfastError('InvalidInput', issues.join('; '), { issues });
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

export function output(
  type: ValueType,
  description: string,
  rest: Pick<OutputDeclaration, 'same_as'> = {},
): OutputDeclaration {
  return { type, description, ...rest };
}

interface FieldOptions<T> {
  /** Used when the graph does not give the field; makes it optional. */
  readonly default?: T;
}

type Limits = Pick<FieldDeclaration, 'choices' | 'range'>;

function firstProblem(schema: z.ZodType, value: unknown): string | undefined {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue === undefined) return undefined;
  return issue.path.length === 0 ? wordsOf(issue) : `at ${issue.path.join('.')} ${wordsOf(issue)}`;
}

function makeField<T>(
  type: ValueType,
  schema: z.ZodType<T>,
  description: string,
  { choices, range, ...options }: FieldOptions<T> & Limits = {},
): Field<T> {
  const hasDefault = options.default !== undefined;
  return {
    declaration: {
      type,
      description,
      required: !hasDefault && !schema.safeParse(undefined).success,
      ...(hasDefault ? { default: options.default } : {}),
      ...present({ choices, range }),
      check: (value) => firstProblem(schema, value),
    },
    schema: hasDefault ? ((schema as z.ZodType).default(options.default) as unknown as z.ZodType<T>) : schema,
  };
}

const NO_DURATION = 'must be a duration such as 5 or "30s"';
const decimalText = z.custom<string>(isDecimal, 'must be a decimal string such as "12.50"');
const formulaValue = z.custom<FormulaValue>(
  (value) => typeof value === 'object' && value !== null && 'formula' in value,
  'must be a formula',
);

function refining<T>(check: (value: T) => string | undefined) {
  return (value: T, context: z.RefinementCtx) => {
    const wrong = check(value);
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
  };
}

/** The same field, which need not be given. */
export function optional<T>({ declaration, schema }: Field<T>): Field<T | undefined> {
  return { declaration: { ...declaration, required: false }, schema: schema.optional() };
}

/** Builders of fields, by the language's value types. */
export const field = {
  any: (description: string) =>
    makeField<unknown>(
      'any',
      z.unknown().refine((value) => value !== undefined, 'is required'),
      description,
    ),
  text: (description: string, options?: FieldOptions<string>) => makeField('text', z.string(), description, options),
  choice: <const C extends readonly [string, ...string[]]>(
    choices: C,
    description: string,
    options?: FieldOptions<C[number]>,
  ) =>
    makeField<C[number]>('text', z.enum(choices), `${description} One of ${choices.join(', ')}.`, {
      ...options,
      choices,
    }),
  boolean: (description: string, options?: FieldOptions<boolean>) =>
    makeField('boolean', z.boolean(), description, options),
  integer: (description: string, bounds: { min: number; max: number } & FieldOptions<number>) =>
    makeField('integer', z.number().int().min(bounds.min).max(bounds.max), description, {
      ...present({ default: bounds.default }),
      range: { min: bounds.min, max: bounds.max },
    }),
  decimal: (description: string, options?: FieldOptions<string>) =>
    makeField('decimal', decimalText, description, options),
  list: (description: string, { max }: { readonly max: number }) =>
    makeField<readonly unknown[]>('list', z.array(z.unknown()).max(max), description),
  /** A list of texts that are not empty. */
  names: (description: string, { max }: { readonly max: number }) =>
    makeField<readonly string[]>('list', z.array(z.string().min(1)).min(1).max(max), description),
  /** A text; `check` says in one sentence what is wrong with it. */
  textOf: (description: string, check: (text: string) => string | undefined) =>
    makeField<string>('text', z.string().superRefine(refining(check)), description),
  /** An object; `check` says in one sentence what is wrong with it. */
  objectOf: (description: string, check: (members: Readonly<Record<string, unknown>>) => string | undefined) =>
    makeField<Readonly<Record<string, unknown>>>(
      'object',
      z.record(z.string(), z.unknown()).superRefine(refining(check)),
      description,
    ),
  decimals: (description: string) => makeField('decimals', z.array(decimalText).min(1).max(10_000), description),
  duration: (description: string, options?: FieldOptions<number | string>) =>
    makeField<number | string>(
      'duration',
      z.union([z.number(), z.string()], NO_DURATION).refine((value) => durationMs(value) !== undefined, NO_DURATION),
      description,
      options,
    ),
  /** A formula; `check` says what is wrong with its text. */
  formula: (description: string, check: (text: unknown) => string | undefined): Field<FormulaValue> => ({
    declaration: { type: 'formula', description, required: true, check },
    schema: formulaValue,
  }),
} as const;
