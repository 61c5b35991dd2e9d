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
import type {
  Effect,
  FieldDeclaration,
  KindDeclaration,
  OutputDeclaration,
  RetryTraits,
  ValueType,
} from '../graph/kinds';
import type { NodeSpec } from '../graph/schema';
import type { FormulaValue, NodeTask } from '../graph/task';
import { isDecimal } from '../money';

/** What a node's body is given beside its fields. */
export interface NodeContext {
  readonly task: NodeTask;
  /** Aborted when the node's timeout passes; a body that ends later is ignored. */
  readonly signal: AbortSignal;
  /** The same for every attempt of one node, so a receiver can recognise a repeat. */
  readonly idempotency_key: string;
  readonly log: NodeLog;
}

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

export interface NodeDefinition<F extends Fields> {
  readonly type: string;
  /** The page of the reference it stands on. */
  readonly family: string;
  readonly effect: Effect;
  readonly description: string;
  /** A node of this kind as an author writes it; `docs/NODES.md` shows it. */
  readonly example?: NodeSpec;
  readonly fields: F;
  readonly outputs: Readonly<Record<string, OutputDeclaration>>;
  readonly branches?: readonly string[];
  readonly timeout_ms?: number;
  readonly retry?: Partial<RetryTraits>;
  readonly run: (fields: ValuesOf<F>, context: NodeContext) => NodeOutcome | Promise<NodeOutcome>;
}

/** A node kind ready to be declared to the language and run by a worker. */
export interface NodeKind extends KindDeclaration {
  readonly family: string;
  readonly example?: NodeSpec;
  /** Checks the fields and runs the body. Throws `InvalidInput` naming the field. */
  readonly run: (fields: Readonly<Record<string, unknown>>, context: NodeContext) => Promise<NodeOutcome>;
}

const PURE_TIMEOUT_MS = 1_000;
const TIMEOUT_MS = 30_000;
const PURE_RETRY: RetryTraits = { max_attempts: 1, initial_ms: 1_000, backoff: 2, max_ms: 60_000 };
const RETRY: RetryTraits = { max_attempts: 3, initial_ms: 1_000, backoff: 2, max_ms: 60_000 };

export function defineNode<F extends Fields>(definition: NodeDefinition<F>): NodeKind {
  const { fields, run, branches = [], retry, ...rest } = definition;
  const pure = definition.effect === 'pure';
  const schema = z.strictObject(mapValues(fields, (each) => each.schema));
  return {
    ...rest,
    branches,
    formulas: Object.keys(fields).filter((name) => fields[name]?.declaration.type === 'formula'),
    timeout_ms: definition.timeout_ms ?? (pure ? PURE_TIMEOUT_MS : TIMEOUT_MS),
    retry: { ...(pure ? PURE_RETRY : RETRY), ...retry },
    fields: mapValues(fields, (each) => each.declaration),
    run: async (values, context) => {
      const parsed = schema.safeParse(values);
      if (!parsed.success) throw invalidInput(parsed.error);
      return run(parsed.data as ValuesOf<F>, context);
    },
  };
}

function invalidInput(error: z.ZodError): HoldfastError {
  const issues = error.issues.map((issue) => `${issue.path.join('.') || 'fields'}: ${issue.message}`);
  return new HoldfastError('InvalidInput', issues.join('; '), { issues });
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

export function output(type: ValueType, description: string): OutputDeclaration {
  return { type, description };
}

interface FieldOptions<T> {
  /** Used when the graph does not give the field; makes it optional. */
  readonly default?: T;
}

function makeField<T>(
  type: ValueType,
  schema: z.ZodType<T>,
  description: string,
  options: FieldOptions<T> = {},
): Field<T> {
  const hasDefault = options.default !== undefined;
  return {
    declaration: {
      type,
      description,
      required: !hasDefault && !schema.safeParse(undefined).success,
      ...(hasDefault ? { default: options.default } : {}),
      check: (value) => schema.safeParse(value).error?.issues[0]?.message,
    },
    schema: hasDefault ? ((schema as z.ZodType).default(options.default) as unknown as z.ZodType<T>) : schema,
  };
}

const decimalText = z.custom<string>(isDecimal, 'must be a decimal string such as "12.50"');
const formulaValue = z.custom<FormulaValue>(
  (value) => typeof value === 'object' && value !== null && 'formula' in value,
);

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
  ) => makeField<C[number]>('text', z.enum(choices), `${description} One of ${choices.join(', ')}.`, options),
  boolean: (description: string, options?: FieldOptions<boolean>) =>
    makeField('boolean', z.boolean(), description, options),
  integer: (description: string, bounds: { min: number; max: number } & FieldOptions<number>) =>
    makeField('integer', z.number().int().min(bounds.min).max(bounds.max), description, bounds),
  decimal: (description: string, options?: FieldOptions<string>) =>
    makeField('decimal', decimalText, description, options),
  optionalDecimal: (description: string) =>
    makeField<string | undefined>('decimal', decimalText.optional(), description),
  decimals: (description: string) => makeField('decimals', z.array(decimalText).min(1).max(10_000), description),
  duration: (description: string) =>
    makeField<number | string>(
      'duration',
      z
        .union([z.number(), z.string()])
        .refine((value) => durationMs(value) !== undefined, 'must be a duration such as 5 or "30s"'),
      description,
    ),
  /** A formula; `check` says what is wrong with its text. */
  formula: (description: string, check: (text: unknown) => string | undefined): Field<FormulaValue> => ({
    declaration: { type: 'formula', description, required: true, check },
    schema: formulaValue,
  }),
} as const;
