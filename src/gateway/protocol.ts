/**
 * What clients and the gateway say to each other over Socket.IO. Both ends can type their sockets with these:
 *
 *     const socket: Socket<ServerToClient, ClientToServer> = io(url, { auth: { token } });
 */
import { z } from 'zod';
import type { EmergencyState } from '../emergency/model';
import type { ErrorCode } from '../errors';
import type { Cursor, Gap, Snapshot } from '../event-log';
import type { EventEnvelope } from '../events/envelope';
import { EXECUTION_ID, LONGEST_ID, isExecutionId } from '../events/execution-id';
import { traceIdOf } from '../events/traceparent';
import { isObject } from '../json';
import type { StartedExecution } from '../temporal-client/executions';
import type { NodeStatus } from '../workflows/messages';

/** Of an execution, a workflow, a bot, a strategy. */
export const idSchema = z
  .string()
  .regex(EXECUTION_ID, 'is not an id')
  .max(LONGEST_ID)
  .refine(isExecutionId, 'is not an id');
const cursors = z
  .record(z.string().max(LONGEST_ID), z.object({ log_epoch: z.string().max(100), seq: z.number().int().min(0) }))
  .refine((given) => Object.keys(given).length <= 500, 'holds more than 500 streams')
  .optional();

/** `price`, or inside loops `each[3]/price`. */
export const nodeKey = z.string().min(1).max(1_000);
/** A decision is never taken from silence, so there is no default. */
export const approveFields = {
  decision: z.enum(['approve', 'reject']),
  comment: z.string().min(1).max(1_000).optional(),
} as const;

export const EMERGENCY_ACTIONS = ['alert', 'halt', 'shutdown', 'resume', 'approve', 'flatten'] as const;

/** Shapes alone: what a command must say is the desk's to judge, so that what it refuses is on its record. */
export const emergencyFields = {
  scope: z.string().min(1).max(300),
  action: z.enum(EMERGENCY_ACTIONS),
  /** Why; a command without is refused. */
  reason: z.string().max(500).optional(),
  /** The same command again under the same id gets the same answer; made by the gateway when absent. */
  command_id: z.string().min(1).max(200).optional(),
  cancel_open: z.boolean().optional(),
  cancel_stops: z.boolean().optional(),
  /** Of `resume`: the ids of the causes that were seen. */
  causes: z.array(z.string().max(300)).max(100).optional(),
  /** Of `resume` and `approve`, which are refused without: the epoch that was seen. */
  expected_epoch: z.number().optional(),
  /** Milliseconds since 1970, by default when the gateway heard it; to send a `resume` again under its id, give it. */
  issued_at: z.number().optional(),
  /** Of `flatten`, which is refused without: the scope once more. */
  confirm: z.string().max(300).optional(),
  /** Of `flatten`: how far from the last price an order may fill at worst. */
  max_slippage_percent: z.string().max(40).optional(),
} as const;
const emergencyMessage = z.strictObject(emergencyFields);
export type EmergencyOrder = z.infer<typeof emergencyMessage>;

/** Every message a client may send, with the shape it must have. `cursors`: by stream, the last event the client has. */
export const messageSchemas = {
  subscribe_workflow: z.strictObject({ workflow_id: idSchema, cursors }),
  subscribe_bot: z.strictObject({ bot_id: idSchema, cursors }),
  subscribe_strategy: z.strictObject({ strategy_id: idSchema, cursors }),
  subscribe_execution: z.strictObject({ execution_id: idSchema, cursors }),
  subscribe_desk: z.strictObject({ desk_id: idSchema, cursors }),
  subscribe_all: z.strictObject({ cursors }),
  /** Names one room by its id, or all of them by nothing. */
  unsubscribe: z.strictObject({
    workflow_id: idSchema.optional(),
    bot_id: idSchema.optional(),
    strategy_id: idSchema.optional(),
    execution_id: idSchema.optional(),
    desk_id: idSchema.optional(),
    all: z.literal(true).optional(),
  }),
  request_state: z.strictObject({ execution_id: idSchema }),
  /** Starts a deployed graph, or the one it brings. Under an `execution_id` of the client's the same start sent again starts nothing. */
  start_execution: z
    .strictObject({
      workflow_id: idSchema.optional(),
      graph: z.record(z.string(), z.unknown()).optional(),
      execution_id: idSchema.optional(),
      inputs: z.record(z.string(), z.unknown()).optional(),
      /** W3C trace context of whoever asks. */
      traceparent: z
        .string()
        .refine((text) => traceIdOf(text) !== undefined, 'is no traceparent')
        .optional(),
    })
    .refine(
      ({ workflow_id, graph }) => (workflow_id === undefined) !== (graph === undefined),
      'names a workflow_id or brings a graph',
    ),
  /** Decides an `approval` node that waits, in the name of the token's subject. */
  approve: z.strictObject({ execution_id: idSchema, node: nodeKey, ...approveFields }),
  /** Speaks to the emergency desk in the name of the token's subject. */
  emergency_command: emergencyMessage,
  /** Goes on with another token of the same subject that may no more than this one; subscriptions stay. */
  refresh: z.strictObject({ token: z.string().min(1).max(8_000) }),
} as const;

const RAISES: readonly unknown[] = ['alert', 'halt', 'shutdown'];

/** Whether a message would make things safer, whatever else is right or wrong with it. */
export function isRaise(name: string | number, given: unknown): boolean {
  return name === 'emergency_command' && isObject(given) && RAISES.includes(given['action']);
}

export type MessageName = keyof typeof messageSchemas;
export type Message<N extends MessageName> = z.infer<(typeof messageSchemas)[N]>;
export type Cursors = Readonly<Record<string, Cursor>>;

/** The answer to a subscription. */
export interface Subscribed {
  /** False when events after a cursor, or of the window, could not all be replayed; snapshots were sent instead. */
  readonly recovered: boolean;
  readonly mode: 'replay' | 'snapshot';
  /** By stream, the position up to which the client now knows everything. */
  readonly cursors: Cursors;
}

/** What became of a command to the desk. `state` and `epoch` are absent while no desk answers: then it is with Temporal and comes to hold as soon as one does. */
export interface EmergencyAnswer {
  readonly command_id: string;
  readonly action: string;
  readonly scope: string;
  readonly state?: EmergencyState;
  readonly epoch?: number;
  /** Of what raises: milliseconds until it could no longer be lost, and until the desk's answer. */
  readonly accepted_ms?: number;
  readonly in_force_ms?: number;
  /** Of `halt` and `shutdown`: no increasing order of the scope can be accepted by a venue any more. */
  readonly sealed?: boolean;
  /** From halt to seal on the desk's clock. */
  readonly sealed_ms?: number;
  /** Orders a venue may still accept. */
  readonly unsettled?: number;
  /** Of a `resume` after `shutdown`: it waits for a second person until then. */
  readonly awaits_approval_until?: number;
}

export interface StateAnswer {
  readonly snapshot: Snapshot;
  /**
   * Who says it. Where the `log` holds nothing of its nodes, a `worker`; where none does, the `history`: without outputs, and without
   * nodes that ran inside the execution or were skipped. The events of these two have a `seq` of 0.
   */
  readonly source: 'log' | 'worker' | 'history';
}

export interface Answers {
  readonly unsubscribe: { readonly rooms: readonly string[] };
  readonly request_state: StateAnswer;
  readonly start_execution: StartedExecution;
  readonly approve: { readonly execution_id: string; readonly node: string; readonly status: NodeStatus };
  readonly emergency_command: EmergencyAnswer;
  /** ISO 8601. */
  readonly refresh: { readonly expires_at: string };
}
export type AnswerOf<N extends MessageName> = N extends keyof Answers ? Answers[N] : Subscribed;

export interface Refusal {
  readonly ok: false;
  readonly error: { readonly code: ErrorCode; readonly message: string };
}
export type Answer<N extends MessageName = MessageName> = ({ readonly ok: true } & AnswerOf<N>) | Refusal;

export type ClientToServer = {
  readonly [N in MessageName]: (message: Message<N>, acknowledge?: (answer: Answer<N>) => void) => void;
};

/** Events may be missing: ask for the state of what is shown. */
export interface GapNotice extends Omit<Gap, 'type'> {
  readonly reason: 'dropped' | 'log_restarted' | 'out_of_reach';
}

export interface ServerToClient {
  readonly workflow_event: (event: EventEnvelope) => void;
  /** What happened within some milliseconds, in order, to who connects with `auth: { token, batches: true }`; of each node its last state. */
  readonly workflow_event_batch: (events: readonly EventEnvelope[]) => void;
  readonly snapshot: (snapshot: Snapshot) => void;
  readonly gap: (gap: GapNotice) => void;
  /** The gateway ends this connection: `TokenExpired`, `BadRequest` after a binary message, `RateLimited`. */
  readonly closing: (notice: { readonly code: ErrorCode; readonly message: string }) => void;
  /** The gateway is about to close; reconnect after this many milliseconds. */
  readonly draining: (notice: { readonly reconnect_in_ms: number }) => void;
}
