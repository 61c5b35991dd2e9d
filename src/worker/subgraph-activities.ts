/** What an execution asks for its `subgraph` nodes. Run on the graph task queue. */
import { ApplicationFailure } from '@temporalio/common';
import { HoldfastError } from '../errors';
import { checkInputs } from '../graph/inputs';
import type { ExecutionDescription } from '../temporal-client/execution-summary';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { SubgraphActivities } from '../workflows/children';
import type { ChildOutcome } from '../workflows/messages';

export function createSubgraphActivities(client: HoldfastClient): SubgraphActivities {
  return {
    loadGraph: ({ workflow, inputs }) =>
      inWords(async () => {
        const deployed = await client.deployedInput(workflow);
        const verdict = checkInputs(deployed.graph, { ...deployed.inputs, ...inputs });
        const [first] = verdict.mistakes;
        if (first !== undefined)
          throw new HoldfastError('InputsInvalid', first.message, { mistakes: verdict.mistakes });
        return { ...deployed, inputs: verdict.inputs };
      }),
    childOutcome: (childId) =>
      inWords(async () => {
        const { closing } = await client.describeExecution(childId);
        return closing === undefined ? null : outcomeOf(client, childId, closing);
      }),
  };
}

async function outcomeOf(
  client: HoldfastClient,
  childId: string,
  { status, error, error_type }: NonNullable<ExecutionDescription['closing']>,
): Promise<ChildOutcome> {
  if (status === 'completed') return { kind: 'completed', outputs: await client.executionOutputs(childId) };
  return {
    kind: 'failed',
    error: error ?? `the execution was ${status}`,
    error_type: error_type ?? 'ExecutionCancelled',
  };
}

/** Errors of the catalogue keep their code across Temporal's boundary. */
async function inWords<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: !error.entry.retryable });
  }
}
