/** The Temporal client's world: one connection, deadlines on everything, and the service's errors in Holdfast's words. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  Client,
  Connection,
  QueryRejectedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
  type GrpcRetryOptions,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { HoldfastError, isErrorCode, messageOf } from '../errors';
import { AHEAD_OF_HISTORY } from '../workflows/task-account';

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
  /** Asks only what runs: a workflow that was ended answers with how it stood, and a desk that is gone halts nothing. */
  readonly running: Client;
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
const UNANSWERED: readonly (number | undefined)[] = [DEADLINE_EXCEEDED, CANCELLED, FAILED_PRECONDITION];

/** How a server refuses what it takes a moment later: in the words of 1.29, for its status codes mean other things as well. */
const MOMENTARY =
  /workflow is closing|update was aborted|unexpected workflow task failure|concurrent in-flight updates|query buffer is full|task is not scheduled yet/i;
const CONTINUED_AS_NEW = temporal.api.enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW;
const MOMENT_FIRST_MS = 10;
const MOMENT_MOST_MS = 80;
/** Far more than fit into any call's deadline, which is what ends them. */
const MOMENT_ATTEMPTS = 200;

/**
 * The SDK's own back-off, but for a desk that goes on in a new run, whose first task may be scheduled a moment later, or has its hands full
 * (a workflow that is at work keeps one query waiting and refuses the second), or was asked where it would have run ahead of its history: the
 * SDK waits 1.4 to 2 s for it, and an order that needs a permit cannot.
 */
export function retryOptions(): GrpcRetryOptions {
  const usual = defaultGrpcRetryOptions();
  const isMomentary = ({ details }: { readonly details: string }) =>
    MOMENTARY.test(details) || details.includes(AHEAD_OF_HISTORY);
  return {
    delayFunction: (attempt, status) =>
      isMomentary(status)
        ? Math.min(MOMENT_MOST_MS, MOMENT_FIRST_MS * 1.5 ** attempt)
        : usual.delayFunction(attempt, status),
    retryableDecider: (attempt, status) =>
      isMomentary(status) ? attempt < MOMENT_ATTEMPTS : usual.retryableDecider(attempt, status),
  };
}

/** Connects within four seconds. Throws `TemporalUnavailable`. */
export async function connect(options: TemporalOptions): Promise<TemporalAccess> {
  try {
    const connection = await Connection.connect({
      address: options.address,
      connectTimeout: CONNECT_TIMEOUT_MS,
      interceptors: [makeGrpcRetryInterceptor(retryOptions())],
    });
    const { namespace } = options;
    const client = new Client({ connection, namespace });
    const running = new Client({ connection, namespace, workflow: { queryRejectCondition: 'NOT_OPEN' } });
    return { ...options, connection, client, running };
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
  const deadline = Date.now() + timeoutOf(subject);
  for (;;) {
    try {
      return await access.connection.withDeadline(deadline, action);
    } catch (error) {
      if (!isGoingOn(error) || Date.now() >= deadline) throw translate(access, subject, error);
      await delay(MOMENT_FIRST_MS);
    }
  }
}

/** A query reached a run in the moment in which that went on in a new one, which is the one to ask. */
function isGoingOn(error: unknown): boolean {
  return error instanceof QueryRejectedError && error.status === CONTINUED_AS_NEW;
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
  if (error instanceof QueryRejectedError) return notRunning(subject);
  if (status === UNAVAILABLE) {
    return new HoldfastError('TemporalUnavailable', `No Temporal server answers at ${access.address}.`);
  }
  return UNANSWERED.includes(status) ? unanswered(subject) : error;
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

function notRunning(subject: Subject): HoldfastError {
  if (subject.kind !== 'desk') return unanswered(subject);
  return new HoldfastError('EmergencyUnreachable', `The emergency desk ${subject.id} was ended and runs no more.`);
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
