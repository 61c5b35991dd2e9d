/**
 * The graph language as zod schema: shapes only; what a shape cannot say is in `validate.ts`. Types are inferred from here.
 * Messages are predicates: the name of the key stands before them.
 */
import { z } from 'zod';
import { NODE_ID, RESERVED_IDS } from './names';
import { durationMs } from './duration';

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
  timeout: durationSchema.optional(),
  retry: retrySchema.optional(),
});

export const triggerSchema = z.strictObject({
  type: z.literal('schedule'),
  every: durationSchema,
  overlap: z.enum(['skip', 'buffer_one', 'allow_all']).optional(),
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
  triggers: z.record(idSchema, triggerSchema).optional(),
  nodes: z.record(z.string(), nodeSchema),
  ui: z.unknown().optional(),
});

/** The keys the language has, per object. */
export const graphKeys: readonly string[] = Object.keys(graphSchema.shape);
export const nodeKeys: readonly string[] = Object.keys(nodeSchema.shape);
export const retryKeys: readonly string[] = Object.keys(retrySchema.shape);
export const triggerKeys: readonly string[] = Object.keys(triggerSchema.shape);

export type Graph = z.infer<typeof graphSchema>;
export type NodeSpec = z.infer<typeof nodeSchema>;
export type Trigger = z.infer<typeof triggerSchema>;
