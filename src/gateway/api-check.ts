/** REST: a graph as somebody wrote it, judged before anything is deployed. */
import { z } from 'zod';
import { HoldfastError } from '../errors';
import { mistakeCatalogue, type Mistake, type MistakeCode } from '../graph/mistake';
import type { Deployment } from '../temporal-client/holdfast-client';
import { maySee } from './access';
import { graphDocument } from './answers';
import type { ApiContext } from './api-executions';
import { prepareText } from './preparation';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

const text = z.string();
const count = z.number().int().min(0);
const checkBody = z.strictObject({ text });

const mistake = z
  .object({
    code: z.enum(Object.keys(mistakeCatalogue) as [MistakeCode, ...MistakeCode[]]),
    path: text.meta({ description: 'JSON pointer into the graph.' }),
    node_id: text.exactOptional(),
    message: text,
    suggestion: text.exactOptional().meta({ description: 'The nearest valid name.' }),
    line: count.exactOptional(),
    column: count.exactOptional(),
  })
  .meta({ id: 'Mistake' }) satisfies z.ZodType<Mistake>;
const checkAnswer = z.object({
  valid: z.boolean(),
  mistakes: z.array(mistake).meta({ description: 'All of them, in the order of the text.' }),
  graph: graphDocument.exactOptional().meta({ description: 'Of a valid one: what can be deployed.' }),
  graph_version: text.exactOptional(),
  imported: z.array(text).meta({ description: 'What was changed when it came in another shape, a sentence each.' }),
  deployed_version: text
    .exactOptional()
    .meta({ description: 'Of the deployment it would replace; absent where there is none to see.' }),
});

export function checkRoutes(context: ApiContext): readonly DeclaredRoute[] {
  return [
    route({
      method: 'post',
      path: '/api/graphs/check',
      summary: 'Every mistake of a graph’s text, with its place',
      description: 'JSON or YAML. Nothing is deployed and nothing is started.',
      role: 'operator',
      body: checkBody,
      answers: { 200: { says: '`valid`, or what is wrong with it.', schema: checkAnswer } },
      refusals: ['GraphTooLarge', 'TemporalUnavailable'],
      handle: ({ body, identity }) => check(context, identity, body.text),
    }),
  ];
}

async function check(context: ApiContext, identity: Identity, given: string): Promise<z.infer<typeof checkAnswer>> {
  const checked = checkedText(given, context);
  if ('mistakes' in checked) return { valid: false, mistakes: [...checked.mistakes], imported: [] };
  const { graph, version } = checked.prepared;
  const deployed = await deploymentOf(context, graph.id);
  const mayTell = deployed !== undefined && maySee(identity, deployed.graph);
  return {
    ...{ valid: true, mistakes: [], graph, graph_version: version },
    imported: checked.report.map(({ message }) => message),
    ...(mayTell ? { deployed_version: deployed.graph_version } : {}),
  };
}

function checkedText(given: string, { kinds }: ApiContext) {
  try {
    return prepareText(given, kinds);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'GraphInvalid') throw error;
    return { mistakes: error.details['mistakes'] as readonly Mistake[] };
  }
}

async function deploymentOf({ client }: ApiContext, id: string): Promise<Deployment | undefined> {
  try {
    return await client.getDeployment(id);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'WorkflowNotFound') return undefined;
    throw error;
  }
}
