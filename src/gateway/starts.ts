/** Starts that are asked for over a socket. */
import type { StartedExecution } from '../temporal-client/holdfast-client';
import { assertRole } from './access';
import { start, type ApiContext } from './api-executions';
import { startDeployed } from './api-workflows';
import { prepareDocument } from './preparation';
import type { Message } from './protocol';
import type { Identity } from './tokens';

/** Throws `Forbidden`, `WorkflowNotFound`, `GraphInvalid`, and what a start throws. */
export async function startAsked(
  context: ApiContext,
  identity: Identity,
  { workflow_id, graph, ...options }: Message<'start_execution'>,
): Promise<StartedExecution> {
  assertRole(identity, 'operator');
  if (workflow_id !== undefined) return startDeployed(context, identity, workflow_id, options);
  return start(context, identity, prepareDocument(graph, context.kinds), options);
}
