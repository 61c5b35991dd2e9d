/**
 * What a person may do to a node while its execution runs: decide what waits for approval, begin a node anew, pass it over.
 * Each is checked before it is taken, and refused with an error of the catalogue; what was taken cannot fail any more.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Advance } from '../graph/graph-run';
import type { ErrorCode } from '../errors';
import { escapeReserved } from '../graph/blob';
import { present } from '../json';
import { decided } from './control';
import type { Execution } from './execution';
import { readAgain } from './judging';
import type { ApproveRequest, NodeRequest, NodeStatus, Wait } from './messages';
import { nodeStatus } from './status';

const LONGEST = 1_000;

/** Throws when the request cannot be taken as things stand. */
export function assertApprovable(execution: Execution, request: unknown): asserts request is ApproveRequest {
  assertNodeRequest(request);
  const { node, decision, actor, roles, comment } = request as Partial<Record<keyof ApproveRequest, unknown>> &
    NodeRequest;
  if (decision !== 'approve' && decision !== 'reject')
    throw refusal('BadRequest', 'decision: must be approve or reject');
  // Of an object without a text of its own the handler would throw, and the task fail for ever.
  if (comment !== undefined && typeof comment !== 'string') throw refusal('BadRequest', 'comment: must be a text');
  const wait = waitOf(execution, instanceOf(execution, node));
  if (wait?.kind !== 'approval') throw refusal('NodeNotWaiting', `${node} waits for no approval`);
  const { approvers } = wait;
  const counted: readonly unknown[] = [actor, ...(Array.isArray(roles) ? (roles as unknown[]) : [])];
  if (approvers === undefined || approvers.some((each) => counted.includes(each))) return;
  throw refusal('Forbidden', `${actor} is not among the approvers of ${node}: ${approvers.join(', ')}`);
}

export function approve(execution: Execution, { node, decision, actor, comment }: ApproveRequest): NodeStatus {
  const id = instanceOf(execution, node);
  execution.teller.approvalGiven(id, actor, decision === 'approve' ? 'approved' : 'rejected');
  const said = comment === undefined ? {} : { comment: String(escapeReserved(comment)).slice(0, LONGEST) };
  execution.settleWait(id, decided({ decision, actor, now: execution.books.clock.now, ...said }));
  return statusOf(execution, id);
}

/** A node that failed or waits may begin anew or be passed over; one that runs, and one that completed, may not. */
export function assertChangeable(execution: Execution, request: unknown): asserts request is NodeRequest {
  assertNodeRequest(request);
  const id = instanceOf(execution, request.node);
  const { graph, turns } = execution.books;
  const { state } = graph.state(id);
  if (turns.of(id).trail !== undefined) {
    throw refusal('NodeNotRetryable', `${request.node} has an order that has not ended; cancel that first`);
  }
  const givenUp = graph.frame(id).givenUp;
  if (state === 'failed' ? graph.canRenew(id) : waitOf(execution, id) !== undefined && givenUp === undefined) return;
  const why =
    state === 'failed' ? 'its frame has ended, or what it was given is no longer held' : (givenUp ?? `it is ${state}`);
  throw refusal('NodeNotRetryable', `${request.node} cannot begin anew: ${why}`);
}

export function retryNode(execution: Execution, { node }: NodeRequest): NodeStatus {
  const id = instanceOf(execution, node);
  const { graph, clock } = execution.books;
  const before = graph.state(id);
  execution.together(() => {
    change(execution, id, (wait) => (wait === undefined ? graph.renew(id) : graph.renewWaiting(id)));
    // What could not be read again at the resume perhaps can be now; where not, it fails as before.
    if (before.state === 'failed' && before.error_type === 'StaleInput')
      execution.changed(readAgain(execution.books, clock.now, id));
  });
  return statusOf(execution, id);
}

export function skipNode(execution: Execution, { node, actor, reason }: NodeRequest): NodeStatus {
  const id = instanceOf(execution, node);
  const why = `skipped by ${actor}${reason === undefined ? '' : `: ${reason.slice(0, LONGEST)}`}`;
  return change(execution, id, () => execution.books.graph.dismiss(id, why));
}

function change(execution: Execution, id: number, how: (wait: Wait | undefined) => Advance | undefined): NodeStatus {
  const wait = waitOf(execution, id);
  if (wait?.kind === 'child') execution.children.cancelOne(wait.child_id);
  execution.books.waits.delete(id);
  const advance = how(wait);
  if (advance !== undefined) execution.changed(advance);
  return statusOf(execution, id);
}

function statusOf({ books }: Execution, id: number): NodeStatus {
  return nodeStatus(books, id);
}

function waitOf({ books }: Execution, id: number): Wait | undefined {
  return books.waits.get(id);
}

function instanceOf({ books }: Execution, node: string): number {
  const id = books.graph.find(node);
  if (id === undefined) throw refusal('NodeNotFound', `the execution has no node ${node}`);
  return id;
}

function assertNodeRequest(request: unknown): asserts request is NodeRequest {
  const { node, actor, reason } = (typeof request === 'object' && request !== null ? request : {}) as Record<
    string,
    unknown
  >;
  const texts = present({ node, actor, ...(reason === undefined ? {} : { reason }) });
  for (const name of ['node', 'actor', ...(reason === undefined ? [] : ['reason'])]) {
    const text = (texts as Record<string, unknown>)[name];
    if (typeof text !== 'string' || text === '') throw refusal('BadRequest', `${name}: must be a text`);
  }
}

function refusal(code: ErrorCode, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
