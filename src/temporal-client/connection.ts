/** The Temporal client's world: one connection, deadlines on everything, and the service's errors in Holdfast's words. */
import {
  Client,
  Connection,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  isGrpcServiceError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { HoldfastError, isErrorCode, messageOf } from '../errors';

export interface TemporalOptions {
  /** host:port of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly task_queue: string;
  readonly desk_task_queue: string;
}

/** What every part of the client works with. */
export interface TemporalAccess extends TemporalOptions {
  readonly connection: Connection;
  readonly client: Client;
}

const CONNECT_TIMEOUT_MS = 4_000;
const CALL_TIMEOUT_MS = 5_000;
/** A schedule is a workflow of the server's own, which a loaded server lets wait. */
const SCHEDULE_TIMEOUT_MS = 15_000;
/** gRPC status codes. */
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;

/** Connects within four seconds. Throws `TemporalUnavailable`. */
export async function connect(options: TemporalOptions): Promise<TemporalAccess> {
  try {
    const connection = await Connection.connect({ address: options.address, connectTimeout: CONNECT_TIMEOUT_MS });
    return { ...options, connection, client: new Client({ connection, namespace: options.namespace }) };
  } catch (error) {
    throw new HoldfastError('TemporalUnavailable', `No Temporal server answers at ${options.address}.`, {
      address: options.address,
      cause: messageOf(error),
    });
  }
}

/** What a failed call was about, for the sentence the caller reads. */
export type Subject =
  | { readonly kind: 'execution'; readonly id: string }
  | { readonly kind: 'workflow'; readonly id: string }
  | { readonly kind: 'desk'; readonly id: string }
  | { readonly kind: 'service' };

/** Runs a call with a deadline and translates what can go wrong. */
export async function call<T>(access: TemporalAccess, subject: Subject, action: () => Promise<T>): Promise<T> {
  try {
    return await access.connection.withDeadline(Date.now() + timeoutOf(subject), action);
  } catch (error) {
    throw translate(access, subject, error);
  }
}

function timeoutOf({ kind }: Subject): number {
  return kind === 'workflow' ? SCHEDULE_TIMEOUT_MS : CALL_TIMEOUT_MS;
}

function translate(access: TemporalAccess, subject: Subject, error: unknown): unknown {
  if (error instanceof HoldfastError) return error;
  const status = grpcStatus(error);
  if (error instanceof WorkflowNotFoundError || status === NOT_FOUND) return notFound(subject);
  if (status === INVALID_ARGUMENT)
    return new HoldfastError('BadRequest', `Temporal refuses the request: ${innermost(error)}`);
  if (error instanceof WorkflowUpdateFailedError) return refused(error);
  if (status === UNAVAILABLE) {
    return new HoldfastError('TemporalUnavailable', `No Temporal server answers at ${access.address}.`);
  }
  if (status === DEADLINE_EXCEEDED || status === CANCELLED || status === FAILED_PRECONDITION)
    return unanswered(subject);
  return error;
}

/** The SDK wraps gRPC errors in its own; the status sits on the innermost. */
function grpcStatus(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof Error && error.cause !== undefined ? grpcStatus(error.cause) : undefined;
}

/** A workflow's refusal of an update carries a code of the catalogue. */
function refused({ cause, message }: WorkflowUpdateFailedError): HoldfastError {
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  return new HoldfastError(isErrorCode(type) ? type : 'Unexpected', cause?.message ?? message);
}

function innermost(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : messageOf(error);
}

function notFound(subject: Subject): HoldfastError {
  switch (subject.kind) {
    case 'execution':
      return new HoldfastError('ExecutionNotFound', `No execution is called ${subject.id}.`, {
        execution_id: subject.id,
      });
    case 'workflow':
      return new HoldfastError('WorkflowNotFound', `No graph called ${subject.id} is deployed.`, {
        workflow_id: subject.id,
      });
    case 'desk':
      return new HoldfastError('EmergencyUnreachable', `The emergency desk ${subject.id} has not been started.`);
    case 'service':
      return new HoldfastError('TemporalUnavailable', 'The Temporal server does not know what was asked for.');
  }
}

function unanswered(subject: Subject): HoldfastError {
  switch (subject.kind) {
    case 'execution':
      return new HoldfastError('WorkerUnavailable', `No worker answered for ${subject.id} within 5 s.`);
    case 'desk':
      return new HoldfastError('EmergencyUnreachable', `The emergency desk ${subject.id} did not answer within 5 s.`);
    case 'workflow':
    case 'service':
      return new HoldfastError(
        'TemporalUnavailable',
        `The Temporal server did not answer within ${timeoutOf(subject) / 1_000} s.`,
      );
  }
}
