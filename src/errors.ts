/**
 * The one catalogue of errors. `docs/ERRORS.md` is generated from it.
 *
 * `retryable` answers the only question a caller must ask: will the same request help if it is sent again?
 * `exit_code`: 2 bad input, 3 a service is missing, 4 refused, 5 the execution itself did not succeed.
 */

export interface ErrorEntry {
  readonly retryable: boolean;
  readonly http_status: number;
  readonly exit_code: 1 | 2 | 3 | 4 | 5;
  readonly meaning: string;
  readonly next_step: string;
}

export const errorCatalogue = {
  AttemptsExhausted: {
    retryable: false,
    http_status: 502,
    exit_code: 5,
    meaning: 'A node used up all its attempts without the worker reporting why.',
    next_step: 'Read the node in Temporal’s Web UI; look for a worker that died or a host that stalled.',
  },
  BadRequest: {
    retryable: false,
    http_status: 400,
    exit_code: 2,
    meaning: 'A request or message does not have the shape its schema asks for.',
    next_step: 'Correct the field the message names.',
  },
  ConfigurationInvalid: {
    retryable: false,
    http_status: 500,
    exit_code: 2,
    meaning: 'One or more environment variables are missing or wrong; all of them are listed.',
    next_step: 'Correct the variables named and start again.',
  },
  ConnectionError: {
    retryable: true,
    http_status: 502,
    exit_code: 5,
    meaning: 'The other side could not be reached, or dropped the connection.',
    next_step: 'It is retried by the node’s policy; check the network and the other side if it persists.',
  },
  DataUnavailable: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'The venue has no such market, or not enough recorded data for the request.',
    next_step: 'Name a market the profile has (`holdfast nodes candles`), or ask for fewer bars.',
  },
  EmergencyHalted: {
    retryable: false,
    http_status: 409,
    exit_code: 4,
    meaning: 'A halt is in force, so nothing new is started.',
    next_step: 'Read why with `holdfast status`; lift it with `holdfast resume --all` when it is safe.',
  },
  EmergencyUnreachable: {
    retryable: true,
    http_status: 503,
    exit_code: 4,
    meaning: 'The emergency desk did not answer, and an unreachable desk means no.',
    next_step: 'Start a worker (`npm start`) and try again; the desk answers as soon as one runs.',
  },
  ExecutionCancelled: {
    retryable: false,
    http_status: 409,
    exit_code: 5,
    meaning: 'The execution was cancelled before it completed.',
    next_step: 'Start a new execution if the work is still wanted.',
  },
  ExecutionClosed: {
    retryable: false,
    http_status: 409,
    exit_code: 4,
    meaning: 'The execution has already ended, so it can no longer be steered.',
    next_step: 'Read how it ended with `holdfast status EXECUTION`, or start a new one.',
  },
  ExecutionExists: {
    retryable: false,
    http_status: 409,
    exit_code: 4,
    meaning: 'An execution with this id was already started; ids are never used twice.',
    next_step: 'Follow the existing execution, or start another without giving the id.',
  },
  ExecutionNotFound: {
    retryable: false,
    http_status: 404,
    exit_code: 2,
    meaning: 'No execution has this id.',
    next_step: 'List the executions with `holdfast list`.',
  },
  FileUnreadable: {
    retryable: false,
    http_status: 400,
    exit_code: 2,
    meaning: 'The graph file does not exist or cannot be read.',
    next_step: 'Check the path; `holdfast new FILE` writes a first graph.',
  },
  GraphInvalid: {
    retryable: false,
    http_status: 422,
    exit_code: 2,
    meaning: 'The graph has mistakes; all of them are listed with their place.',
    next_step: 'Correct the places named; `holdfast validate FILE` lists them again.',
  },
  GraphTooLarge: {
    retryable: false,
    http_status: 413,
    exit_code: 2,
    meaning: 'The graph is larger than one execution can carry.',
    next_step: 'Split it; the limits are in docs/GRAPH.md.',
  },
  InvalidInput: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'A node was given a value its field does not accept.',
    next_step: 'Look at the outputs of the node it came from.',
  },
  NodeFailed: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'A node failed and no other node handles its failure, so the execution failed.',
    next_step: 'Read the node’s own error; handle it with `after: ["node.error"]` or `on_error: continue`.',
  },
  OutputTooLarge: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'A node returned more than an execution can keep.',
    next_step: 'Return less: fewer bars, or the one figure that is read later.',
  },
  PortTaken: {
    retryable: false,
    http_status: 500,
    exit_code: 3,
    meaning: 'A port that was asked for by name is in use by another program.',
    next_step: 'Stop the other program, or name another port (or none, and a free one is taken).',
  },
  RateLimited: {
    retryable: true,
    http_status: 429,
    exit_code: 5,
    meaning: 'The other side asked for fewer requests.',
    next_step: 'It is retried by the node’s policy; ask less often if it persists.',
  },
  RedisUnavailable: {
    retryable: true,
    http_status: 503,
    exit_code: 3,
    meaning: 'No Redis could be reached or started. Live events need it; executions do not.',
    next_step: 'Install redis-server or valkey-server, or set REDIS_URL.',
  },
  ServiceError: {
    retryable: true,
    http_status: 502,
    exit_code: 5,
    meaning: 'The other side answered with an error of its own (HTTP 5xx).',
    next_step: 'It is retried by the node’s policy; ask the other side if it persists.',
  },
  StackUnhealthy: {
    retryable: true,
    http_status: 503,
    exit_code: 3,
    meaning: 'A process of the local stack did not come up in time.',
    next_step: 'Read its log in .holdfast/logs; `holdfast doctor` checks every part.',
  },
  TemporalUnavailable: {
    retryable: true,
    http_status: 503,
    exit_code: 3,
    meaning: 'No Temporal server could be reached, found, downloaded or built.',
    next_step:
      'Start the local stack with `npm start`, or set TEMPORAL_ADDRESS; where none can be found, put the temporal command line on PATH or install Go.',
  },
  TimeoutError: {
    retryable: true,
    http_status: 504,
    exit_code: 5,
    meaning: 'A node took longer than its timeout.',
    next_step: 'Raise `timeout` on the node if the work is really that slow.',
  },
  Unauthenticated: {
    retryable: false,
    http_status: 401,
    exit_code: 4,
    meaning: 'The token is missing, expired or not signed by this gateway.',
    next_step: 'Make one with `holdfast token create`.',
  },
  Forbidden: {
    retryable: false,
    http_status: 403,
    exit_code: 4,
    meaning: 'The token’s role, bots or strategies do not allow this.',
    next_step: 'Ask for a token with the role the message names.',
  },
  Unexpected: {
    retryable: false,
    http_status: 500,
    exit_code: 1,
    meaning: 'A defect in Holdfast or in a node kind.',
    next_step: 'Report it with the log line that carries the execution id.',
  },
  UnknownKind: {
    retryable: false,
    http_status: 422,
    exit_code: 2,
    meaning: 'There is no node kind of this name.',
    next_step: 'List the kinds with `holdfast nodes`.',
  },
  WorkerUnavailable: {
    retryable: true,
    http_status: 503,
    exit_code: 3,
    meaning: 'Temporal knows the execution, but no worker answered for it in time.',
    next_step: 'Start a worker (`npm start`); signals sent meanwhile are kept and take effect then.',
  },
  WorkflowNotFound: {
    retryable: false,
    http_status: 404,
    exit_code: 2,
    meaning: 'No graph of this id is deployed.',
    next_step: 'Deploy it with `holdfast deploy FILE`.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** An error of the catalogue: `code` names the entry, `details` carries its fields as JSON. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get entry(): ErrorEntry {
    return errorCatalogue[this.code];
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCatalogue, value);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Ends an exhaustive `switch`; reaching it is a defect. */
export function unreachable(value: never): never {
  throw new HoldfastError('Unexpected', `unreachable case: ${JSON.stringify(value)}`);
}
