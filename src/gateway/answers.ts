/**
 * What REST answers about graphs and executions, as schemas: documented by them, and held against real answers by a test. Objects are
 * closed, so a field that is answered and not named here is found.
 */
import { z } from 'zod';
import { OVERLAPS } from '../graph/overlap';
import type { BackfillAnswer } from '../temporal-client/backfill';
import type { ExecutionDescription, ExecutionSummary } from '../temporal-client/execution-summary';
import type { StartedExecution } from '../temporal-client/executions';
import type { RerunAnswer } from '../temporal-client/node-steering';
import type { ExecutionPage } from '../temporal-client/visibility';
import type { ExecutionStatus, NodeStatus } from '../workflows/messages';

const text = z.string();
const count = z.number().int().min(0);
const milliseconds = z.number().int();
const instant = z.iso.datetime().meta({ id: 'Instant', description: 'ISO 8601, UTC.' });
const mode = z.enum(['paper', 'live']);
const CLOSED = ['completed', 'failed', 'cancelled', 'terminated', 'timed_out'] as const;
export const EXECUTION_STATES = ['running', 'halted', 'waiting', ...CLOSED] as const;
const OWN_STATES = ['running', 'halted', 'waiting', 'completed', 'failed', 'cancelled'] as const;
const NODE_STATES = ['pending', 'running', 'waiting', 'completed', 'failed', 'skipped'] as const;
export const graphDocument = z
  .record(z.string(), z.unknown())
  .meta({ id: 'Graph', description: 'A graph; its schema is docs/graph.schema.json.' });
const values = z.record(z.string(), z.unknown());

const waitStatus = z.object({
  kind: z.enum(['timer', 'signal', 'approval', 'child', 'deferral']),
  since: instant.exactOptional(),
  until: instant.exactOptional(),
  name: text.exactOptional(),
  approvers: z.array(text).exactOptional(),
  message: text.exactOptional(),
  child_id: text.exactOptional(),
  why: text.exactOptional(),
  by_gate: z.literal(true).exactOptional(),
});

export const nodeStatus = z
  .object({
    state: z.enum(NODE_STATES),
    frame: text.exactOptional(),
    type: text,
    generation: count,
    dispatch: count,
    attempt: count.exactOptional(),
    branch: text.exactOptional(),
    outputs: z.unknown().optional(),
    error: text.exactOptional(),
    error_type: text.exactOptional(),
    reason: text.exactOptional(),
    duration_ms: milliseconds.exactOptional(),
    ended_at: instant.exactOptional(),
    first_at: instant.exactOptional(),
    waits_for: waitStatus.exactOptional(),
  })
  .meta({ id: 'NodeStatus' }) satisfies z.ZodType<NodeStatus>;

const executionStatus = z
  .object({
    execution_id: text,
    workflow_id: text,
    graph_version: text,
    bot_id: text.exactOptional(),
    strategy_id: text.exactOptional(),
    mode,
    state: z.enum(OWN_STATES),
    halts: z.array(z.object({ scope: text, reason: text, since: instant })),
    started_at: instant,
    nodes: z.record(text, nodeStatus).meta({ description: 'By node key: `price`, inside loops `each[3]/price`.' }),
    outputs: values.exactOptional(),
    ordinal: count,
    error: text.exactOptional(),
    error_type: text.exactOptional(),
  })
  .meta({ id: 'ExecutionStatus', description: 'The execution’s own account.' }) satisfies z.ZodType<ExecutionStatus>;

const summaryFields = {
  execution_id: text,
  run_id: text,
  workflow_id: text,
  graph_version: text,
  bot_id: text.exactOptional(),
  strategy_id: text.exactOptional(),
  mode,
  state: z.enum(EXECUTION_STATES),
  started_at: instant,
  closed_at: instant.exactOptional(),
};
const executionSummary = z.object(summaryFields).meta({ id: 'ExecutionSummary' }) satisfies z.ZodType<ExecutionSummary>;

export const nextPage = text.exactOptional().meta({ description: '`page` of the next page; absent on the last one.' });

export const executionPage = z.object({
  executions: z.array(executionSummary),
  next_page: nextPage,
}) satisfies z.ZodType<ExecutionPage>;

const described = z.object({
  ...summaryFields,
  closing: z
    .object({
      status: z.enum(CLOSED),
      duration_ms: milliseconds,
      error: text.exactOptional(),
      error_type: text.exactOptional(),
    })
    .exactOptional(),
}) satisfies z.ZodType<ExecutionDescription>;

export const executionAnswer = described.extend({
  graph: graphDocument,
  status: executionStatus.exactOptional().meta({ description: 'Absent when no worker answers within two seconds.' }),
  web_ui_url: text
    .exactOptional()
    .meta({ description: 'The same run in Temporal’s Web UI; absent where none is configured.' }),
});

export const startedExecution = z
  .object({ execution_id: text, already_started: z.literal(true).exactOptional() })
  .meta({ id: 'StartedExecution' }) satisfies z.ZodType<StartedExecution>;

export const accepted = z.object({
  execution_id: text,
  action: z.enum(['halt', 'resume', 'cancel']),
  accepted: z.literal(true),
  state: z.enum(OWN_STATES).exactOptional().meta({ description: 'Its own word, where it gave it in time.' }),
});

export const steeredNode = z.object({ execution_id: text, node: text, status: nodeStatus });
export const acceptedMessage = z.object({ execution_id: text, name: text, accepted: z.literal(true) });
export const rerunAnswer = z.object({
  execution_id: text,
  already_started: z.literal(true).exactOptional(),
  adopted: z.array(text),
  again: z.array(text),
  dropped: z.array(text),
}) satisfies z.ZodType<RerunAnswer>;

const cursor = z.object({ log_epoch: text, seq: count });
const event = z
  .looseObject({
    v: z.literal(1),
    event_id: text,
    stream: text,
    log_epoch: text,
    seq: count,
    type: text,
    timestamp: instant,
    mode,
  })
  .meta({ id: 'Event', description: 'One event; further fields by its type (docs/EVENTS.md).' });
export const eventsAnswer = z.object({
  recovered: z
    .boolean()
    .meta({ description: 'False when events after the position asked for are not there any more.' }),
  cursor: cursor.meta({ description: 'Up to where the events given reach.' }),
  more: z.literal(true).exactOptional().meta({ description: 'There are more after `cursor`.' }),
  events: z.array(event),
});

const deploymentFields = {
  workflow_id: text,
  name: text,
  graph_version: text,
  graph: graphDocument,
  paused: z.boolean(),
  note: text.exactOptional(),
  overlap: z.enum(OVERLAPS),
  time_zone: text,
  next_run_at: instant.exactOptional(),
  next_runs: z.array(instant),
  runs: z.object({ started: count, missed: count, skipped: count }),
  recent_executions: z.array(text),
};
export const deployment = z.object(deploymentFields).meta({ id: 'Deployment' });

export const deployments = z.object({ workflows: z.array(deployment), next_page: nextPage });
export const deploymentAnswer = z.object({ ...deploymentFields, running_executions: z.array(executionSummary) });
export const acceptedSchedule = z.object({
  workflow_id: text,
  action: z.enum(['pause', 'resume', 'trigger']),
  accepted: z.literal(true),
  execution_id: text.exactOptional().meta({ description: 'Of `trigger`.' }),
  already_started: z.literal(true).exactOptional(),
});
export const backfillAnswer = z.object({
  workflow_id: text,
  from: instant,
  to: instant,
  overlap: z.enum(OVERLAPS),
  instants: count,
  left_out: count,
}) satisfies z.ZodType<BackfillAnswer>;

const fieldDeclaration = z.object({
  type: text,
  description: text,
  required: z.boolean(),
  default: z.unknown().optional(),
  choices: z.array(text).exactOptional(),
  range: z.object({ min: z.number(), max: z.number() }).exactOptional(),
});
export const nodeKinds = z.object({
  kinds: z.array(
    z.object({
      type: text,
      family: text,
      effect: z.enum(['pure', 'read', 'notify', 'trade', 'cancel', 'control']),
      description: text,
      fields: z.record(text, fieldDeclaration),
      outputs: z.record(text, z.object({ type: text, description: text, same_as: text.exactOptional() })),
      branches: z.array(text),
    }),
  ),
});
