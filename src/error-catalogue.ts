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
  BlobCorrupt: {
    retryable: false,
    http_status: 500,
    exit_code: 5,
    meaning: 'A value in the blob store is not what was stored there.',
    next_step: 'Run the node that gave it again, which stores it anew; check the disk.',
  },
  BlobMissing: {
    retryable: true,
    http_status: 500,
    exit_code: 5,
    meaning: 'A large value is not in the blob store: it was pruned, or this worker looks into another directory.',
    next_step:
      'Give all workers one HOLDFAST_BLOB_DIRECTORY; raise HOLDFAST_BLOB_RETENTION_DAYS above the longest wait.',
  },
  BlobStoreUnavailable: {
    retryable: true,
    http_status: 503,
    exit_code: 3,
    meaning: 'The blob store, which keeps large values, could not be read or written.',
    next_step: 'Check that HOLDFAST_BLOB_DIRECTORY can be written and its disk is not full.',
  },
  CircuitOpen: {
    retryable: false,
    http_status: 503,
    exit_code: 5,
    meaning:
      'The circuit breaker of a resource admits no call now: the resource failed too often, and is left alone or probed.',
    next_step:
      'Nothing: the node waits without using up an attempt, and is tried when the breaker admits calls again. Look at the resource.',
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
  ExecutionOpen: {
    retryable: false,
    http_status: 409,
    exit_code: 4,
    meaning: 'The execution has not ended, and only one that ended can be run again.',
    next_step:
      'Wait for its end or cancel it; while it runs, `holdfast retry EXECUTION NODE` begins a failed node anew.',
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
  InputsInvalid: {
    retryable: false,
    http_status: 422,
    exit_code: 2,
    meaning: 'The values an execution is to start with are not those its graph declares.',
    next_step: 'Give the inputs the message names; the graph’s `inputs` declares them.',
  },
  InputTooLarge: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'A node was given more than a worker reads for one node.',
    next_step: 'Refer to the part that is needed, or work on fewer items at once.',
  },
  InvalidInput: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'A node was given a value its field does not accept.',
    next_step: 'Look at the outputs of the node it came from.',
  },
  KindsInvalid: {
    retryable: false,
    http_status: 500,
    exit_code: 2,
    meaning: 'A module of own node kinds cannot be loaded, or what it exports is no list of node kinds.',
    next_step: 'Correct what the message names; docs/tutorials/own-node-kind.md shows such a module.',
  },
  LiveNotConfirmed: {
    retryable: false,
    http_status: 409,
    exit_code: 2,
    meaning: 'Running this again would trade with real money, and nobody said that it may.',
    next_step: 'Add `--live` when that is what you want.',
  },
  NodeFailed: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'A node failed and no other node handles its failure, so the execution failed.',
    next_step: 'Read the node’s own error; handle it with `after: ["node.error"]` or `on_error: continue`.',
  },
  NodeNotFound: {
    retryable: false,
    http_status: 404,
    exit_code: 2,
    meaning: 'The execution has no node of this name, or its frame ended long ago.',
    next_step: 'List its nodes with `holdfast status EXECUTION`; inside loops they are named like `each[3]/price`.',
  },
  NodeNotRetryable: {
    retryable: false,
    http_status: 409,
    exit_code: 4,
    meaning: 'Only a node that failed or waits can begin anew or be skipped, and only while its execution is open.',
    next_step: 'Run the execution again from this node with `holdfast rerun EXECUTION --from NODE` once it has ended.',
  },
  NodeNotWaiting: {
    retryable: false,
    http_status: 409,
    exit_code: 4,
    meaning: 'The node waits for no approval (any more).',
    next_step: 'Look at the execution with `holdfast status EXECUTION`.',
  },
  OutputTooLarge: {
    retryable: false,
    http_status: 422,
    exit_code: 5,
    meaning: 'A node returned more than can be kept.',
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
  TestInvalid: {
    retryable: false,
    http_status: 422,
    exit_code: 2,
    meaning: 'A test of a graph contradicts the graph, or waits for what cannot happen.',
    next_step: 'Correct the test as the message says; docs/TESTING.md explains fakes and time.',
  },
  Throttled: {
    retryable: false,
    http_status: 429,
    exit_code: 5,
    meaning: 'The rate limit of a node is used up for now.',
    next_step:
      'Nothing: the node waits without using up an attempt, and is tried when a call is free. Raise `rate_limit` if the other side allows more.',
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
