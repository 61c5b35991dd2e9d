/** What an execution asks for its `subgraph` nodes. Run on the graph task queue. */
import { ApplicationFailure } from '@temporalio/common';
import { HoldfastError } from '../errors';
import { escapeReserved, holdsBlob } from '../graph/blob';
import { checkInputs } from '../graph/inputs';
import { present } from '../json';
import type { ExecutionDescription } from '../temporal-client/execution-summary';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { SubgraphActivities } from '../workflows/children';
import type { ChildOutcome, RunGraphInput } from '../workflows/messages';

type Values = Readonly<Record<string, unknown>>;

export function createSubgraphActivities(client: HoldfastClient): SubgraphActivities {
  return {
    loadGraph: ({ workflow, inputs }) =>
      inWords(async () => {
        const deployed = await client.deployedInput(workflow);
        return { ...deployed, inputs: childInputs(deployed, inputs) };
      }),
    childOutcomes: async (childIds) => {
      const outcomes = await Promise.all(childIds.map(async (id) => [id, await outcomeNow(client, id)] as const));
      return Object.fromEntries(outcomes);
    },
  };
}

/** Stored values are checked by the node that reads them; what the deployment gives itself stands for itself alone. */
function childInputs({ graph, inputs: given = {} }: RunGraphInput, inputs: Values): Values {
  const stored = Object.entries(inputs).filter(
    ([name, value]) => holdsBlob(value) && graph.inputs?.[name] !== undefined,
  );
  const names = new Set(stored.map(([name]) => name));
  const declared = Object.fromEntries(Object.entries(graph.inputs ?? {}).filter(([name]) => !names.has(name)));
  const plain = Object.fromEntries(Object.entries(inputs).filter(([name]) => !names.has(name)));
  const verdict = checkInputs({ inputs: declared }, { ...given, ...plain });
  const [first] = verdict.mistakes;
  if (first !== undefined) throw new HoldfastError('InputsInvalid', first.message, { mistakes: verdict.mistakes });
  const own = Object.fromEntries(Object.entries(verdict.inputs).filter(([name]) => !Object.hasOwn(inputs, name)));
  return { ...verdict.inputs, ...(escapeReserved(own) as Values), ...Object.fromEntries(stored) };
}

async function outcomeNow(client: HoldfastClient, childId: string): Promise<ChildOutcome | null> {
  try {
    const { closing } = await client.describeExecution(childId);
    return closing === undefined ? null : await outcomeOf(client, childId, closing);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'ExecutionNotFound') return null;
    return { kind: 'failed', error: error.message, error_type: error.code };
  }
}

async function outcomeOf(
  client: HoldfastClient,
  childId: string,
  { status, error, error_type }: NonNullable<ExecutionDescription['closing']>,
): Promise<ChildOutcome> {
  if (status === 'completed') {
    const { outputs, good_until } = await client.executionResult(childId);
    return { kind: 'completed', outputs, ...present({ good_until }) };
  }
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
