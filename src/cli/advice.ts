/** What a person can do about the nodes of an execution, with the command that does it. */
import type { ExecutionStatus, NodeStatus, WaitStatus } from '../workflows/messages';

export interface Advice {
  readonly node: string;
  readonly why: string;
  readonly command: string;
}

/** Of an open execution: decisions and messages that are waited for, and nodes that failed; `most` at most. */
export function adviceFor(
  { execution_id, nodes }: Pick<ExecutionStatus, 'execution_id' | 'nodes'>,
  most = 10,
): Advice[] {
  const advice: Advice[] = [];
  for (const [node, status] of Object.entries(nodes)) {
    const command = commandFor(node, status);
    if (command === undefined) continue;
    const why = status.waits_for === undefined ? `failed: ${status.error ?? ''}` : waitWords(status.waits_for);
    advice.push({ node, why, command: `holdfast ${command.verb} ${execution_id} ${command.rest}` });
    if (advice.length === most) break;
  }
  return advice;
}

function commandFor(node: string, { state, waits_for }: NodeStatus) {
  if (waits_for?.kind === 'approval') return { verb: 'approve', rest: quoted(node) };
  if (waits_for?.kind === 'signal') return { verb: 'message', rest: `${quoted(waits_for.name ?? '')} --payload JSON` };
  return state === 'failed' ? { verb: 'retry', rest: quoted(node) } : undefined;
}

export function waitWords(wait: WaitStatus): string {
  const { kind, until = '', name = '', child_id = '', why = '' } = wait;
  const deadline = deadlineWords(wait);
  switch (kind) {
    case 'timer':
      return `waits${deadline}`;
    case 'signal':
      return `waits for the message ${name}${deadline}`;
    case 'approval':
      return approvalWords(wait, deadline);
    case 'child':
      return `waits for ${child_id}`;
    case 'deferral':
      return `${why}; tried again at ${until}`;
  }
}

function deadlineWords({ until }: WaitStatus): string {
  return until === undefined ? '' : ` until ${until}`;
}

function approvalWords({ approvers = ['an operator'], message }: WaitStatus, deadline: string): string {
  return `waits for the approval of ${approvers.join(' or ')}${deadline}${message === undefined ? '' : `: ${message}`}`;
}

/** As a shell takes it for one word: brackets are patterns there. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
