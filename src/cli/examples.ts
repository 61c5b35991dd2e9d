/** Deploys the examples, and registers their bots at the desk, which gives no permit to a bot it does not know. */
import { isObject } from '../json';
import type { Progress } from '../local-stack/progress';
import { newCommandId } from '../temporal-client/desk';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { RunGraphInput } from '../workflows/messages';
import { assertOk } from './confirm';

const STARTING_EQUITY = '10000';

export interface Deploying {
  readonly actor: string;
  readonly progress: Pick<Progress, 'step'>;
}

/**
 * Those with a schedule; each also starts once when it is new there, so that something is to be seen. One that is deployed already is only
 * brought up to date: to start a stack again, or to join one that runs, is no reason to trade.
 */
export async function deployExamples(
  client: HoldfastClient,
  prepared: readonly RunGraphInput[],
  { actor, progress }: Deploying,
): Promise<void> {
  await progress.step('example bots known to the desk', () => registerBots(client, prepared, actor));
  for (const input of prepared.filter(({ graph }) => Object.keys(graph.triggers ?? {}).length > 0)) {
    await progress.step(`example deployed, ${input.graph.id}`, () => client.deploy(input, { trigger_now: 'when_new' }));
  }
}

/** Those the desk does not know, for the venues their graphs name. What people have registered or changed is left as it is. */
async function registerBots(
  client: HoldfastClient,
  inputs: readonly Pick<RunGraphInput, 'graph'>[],
  actor: string,
): Promise<void> {
  const { bots } = await client.deskStatus();
  const wanted = new Map<string, Set<string>>();
  for (const { graph } of inputs) {
    if (graph.bot_id === undefined || bots.some(({ bot_id }) => bot_id === graph.bot_id)) continue;
    const venues = wanted.get(graph.bot_id) ?? new Set();
    for (const venue of venuesIn(graph.nodes)) venues.add(venue);
    wanted.set(graph.bot_id, venues);
  }
  for (const [bot_id, venues] of wanted) {
    const bot = { bot_id, name: bot_id, venues: [...venues], starting_equity: STARTING_EQUITY, time_zone: 'UTC' };
    const said = { command_id: newCommandId(), actor, reason: 'it is one of the examples' };
    assertOk(await client.commandDesk({ action: 'register_bot', ...said, bot }));
  }
}

/** Whatever is called `venue`, however deep. */
function venuesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(venuesIn);
  if (!isObject(value)) return [];
  const own = typeof value['venue'] === 'string' ? [value['venue']] : [];
  return [...own, ...Object.values(value).flatMap(venuesIn)];
}
