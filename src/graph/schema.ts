/**
 * The graph language as zod schema: shapes only; what a shape cannot say is in `validate.ts`. Types are inferred from here.
 * Messages are predicates: the name of the key stands before them.
 */
import { z } from 'zod';
import { NODE_ID, RESERVED_IDS } from './names';
import { durationMs } from './duration';
import { OVERLAPS } from './overlap';
import { VALUE_TYPES } from './value-types';

const NOT_A_DURATION = 'is not a duration: a number of seconds, or "500ms", "30s", "5m", "1h"';

export const durationSchema = z
  .union([z.number(), z.string()], { error: NOT_A_DURATION })
  .refine((value) => durationMs(value) !== undefined, NOT_A_DURATION);

export const idSchema = z
  .string()
  .regex(NODE_ID, 'must match [A-Za-z][A-Za-z0-9_-]*')
  .max(128)
  .refine((id) => !RESERVED_IDS.has(id), 'is reserved');

const label = z.string().min(1).max(200);

export const retrySchema = z.strictObject({
  max_attempts: z.number().int().min(1).max(1000).optional(),
  initial: durationSchema.optional(),
  backoff: z.number().min(1).max(100).optional(),
  max: durationSchema.optional(),
});

/** So many calls in so much time, for everyone in one worker process who names the same resource. */
export const rateLimitSchema = z.strictObject({
  calls: z.number().int().min(1).max(1_000_000),
  per: durationSchema,
});

const resource = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.:-]*$/, 'must match [A-Za-z][A-Za-z0-9_.:-]*')
  .max(128);
const taskQueue = z.string().min(1).max(200);
const references = z.record(z.string(), z.string());

/** The keys of a node that say how it fails; `defaults` gives them for every node that calls the world. */
const policy = {
  timeout: durationSchema.optional(),
  total_timeout: durationSchema.optional(),
  retry: retrySchema.optional(),
  circuit_breaker: resource.optional(),
  rate_limit: rateLimitSchema.optional(),
  task_queue: taskQueue.optional(),
};

export const defaultsSchema = z.strictObject(policy);

export const nodeSchema = z.strictObject({
  type: z.string().min(1),
  name: label.optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  inputs: z.record(z.string(), z.string()).optional(),
  after: z.array(z.string()).optional(),
  when: z.string().min(1).optional(),
  join: z
    .union([z.enum(['all', 'any']), z.number().int().min(1)], {
      error: 'must be "all", "any" or a whole number from 1',
    })
    .optional(),
  on_error: z.enum(['fail', 'continue']).optional(),
  ...policy,
  /** How old what it gave may be when, after a halt, another node starts with it. */
  max_age: durationSchema.optional(),
  /** Of `repeat`: a formula over what the body gave; absent, every iteration runs. */
  while: z.string().min(1).optional(),
  /** Of `map`, `repeat` and `subgraph`. */
  get body() {
    return bodySchema.optional();
  },
});

/** A graph inside a node. */
export const bodySchema = z.strictObject({
  get nodes(): z.ZodRecord<z.ZodString, typeof nodeSchema> {
    return z.record(z.string(), nodeSchema);
  },
  outputs: references.optional(),
});

/** A value an execution is started with. */
export const inputSchema = z.strictObject({
  type: z.enum(VALUE_TYPES).exclude(['formula']),
  description: z.string().max(2_000).optional(),
  required: z.boolean().optional(),
  default: z.unknown().optional(),
});

/** One of `every` and `cron`; that and what several triggers must agree on is in `validate-triggers.ts`. */
export const triggerSchema = z.strictObject({
  type: z.literal('schedule'),
  every: durationSchema.optional(),
  cron: z.string().min(1).max(500).optional(),
  time_zone: z.string().min(1).max(100).optional(),
  overlap: z.enum(OVERLAPS).optional(),
  jitter: durationSchema.optional(),
  offset: durationSchema.optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  paused: z.boolean().optional(),
});

export const graphSchema = z.strictObject({
  $schema: z.string().optional(),
  holdfast: z.literal(1),
  id: idSchema,
  name: label.optional(),
  description: z.string().max(10_000).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  bot_id: idSchema.optional(),
  strategy_id: idSchema.optional(),
  desk: idSchema.optional(),
  inputs: z.record(idSchema, inputSchema).optional(),
  defaults: defaultsSchema.optional(),
  /** With their values at the start. */
  variables: z.record(idSchema, z.unknown()).optional(),
  triggers: z.record(idSchema, triggerSchema).optional(),
  nodes: z.record(z.string(), nodeSchema),
  outputs: references.optional(),
  /** Run once per halt. */
  on_halt: z.strictObject({ nodes: z.record(z.string(), nodeSchema) }).optional(),
  ui: z.unknown().optional(),
});

/** The keys the language has, per object. */
export const graphKeys: readonly string[] = Object.keys(graphSchema.shape);
export const nodeKeys: readonly string[] = Object.keys(nodeSchema.shape);
export const bodyKeys: readonly string[] = Object.keys(bodySchema.shape);
export const retryKeys: readonly string[] = Object.keys(retrySchema.shape);
export const rateLimitKeys: readonly string[] = Object.keys(rateLimitSchema.shape);
export const defaultsKeys: readonly string[] = Object.keys(defaultsSchema.shape);
export const inputKeys: readonly string[] = Object.keys(inputSchema.shape);
export const triggerKeys: readonly string[] = Object.keys(triggerSchema.shape);

export type Graph = z.infer<typeof graphSchema>;
export type NodeSpec = z.infer<typeof nodeSchema>;
export type Body = z.infer<typeof bodySchema>;
export type Defaults = z.infer<typeof defaultsSchema>;
export type DeclaredInput = z.infer<typeof inputSchema>;
export type Trigger = z.infer<typeof triggerSchema>;
