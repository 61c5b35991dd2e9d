/** The timeline of an execution as a schema. */
import { z } from 'zod';
import type { TimelineEntry } from '../temporal-client/timeline';
import type { TimelineMark } from '../temporal-client/timeline-marks';
import { nextPage } from './answers';

const text = z.string();
const instant = z.iso.datetime();
const count = z.number().int().min(0);

const entry = z
  .object({
    node: text,
    node_type: text,
    generation: count,
    dispatch: count.exactOptional(),
    where: z.enum(['worker', 'workflow_task', 'workflow', 'child']),
    state: z.enum([
      'scheduled',
      'running',
      'retrying',
      'waiting',
      'deferred',
      'completed',
      'failed',
      'timed_out',
      'cancelled',
      'abandoned',
      'skipped',
    ]),
    branch: text.exactOptional(),
    attempt: count.exactOptional(),
    scheduled_at: instant.exactOptional(),
    started_at: instant.exactOptional(),
    ended_at: instant.exactOptional(),
    waited_ms: count.exactOptional(),
    ran_ms: count.exactOptional(),
    error: text.exactOptional(),
    error_type: text.exactOptional(),
    before: z.object({ error: text, error_type: text }).exactOptional(),
    child_id: text.exactOptional(),
  })
  .meta({ id: 'TimelineEntry', description: 'One turn of a node.' }) satisfies z.ZodType<TimelineEntry>;

const mark = z
  .object({
    at: instant,
    type: z.enum([
      'started',
      'continued',
      'completed',
      'failed',
      'cancelled',
      'terminated',
      'timed_out',
      'halt',
      'resume',
      'emergency',
      'message',
      'cancel',
      'approve',
      'retry_node',
      'skip_node',
    ]),
    node: text.exactOptional(),
    actor: text.exactOptional(),
    reason: text.exactOptional(),
    scope: text.exactOptional(),
    state: text.exactOptional(),
    name: text.exactOptional(),
    decision: text.exactOptional(),
    comment: text.exactOptional(),
    error: text.exactOptional(),
    error_type: text.exactOptional(),
  })
  .meta({ id: 'TimelineMark', description: 'One moment of the execution.' }) satisfies z.ZodType<TimelineMark>;

export const timelineAnswer = z.object({
  execution_id: text,
  run_id: text,
  entries: z.array(entry),
  marks: z.array(mark),
  inside_known: z.boolean().exactOptional().meta({
    description:
      'Of the latest run: whether a worker told of nodes that run inside the workflow; the history holds none of them.',
  }),
  next_page: nextPage,
});
