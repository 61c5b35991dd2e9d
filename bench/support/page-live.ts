/** From the end of an activity to the screen, and from a click to closed gates: worker, Temporal, Redis, gateway and Chromium as released. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config/config';
import { clientDeskPort } from '../../src/worker/client-desk-port';
import { DeskGuard } from '../../src/worker/desk-guard';
import { answered } from '../../tests/support/until';
import { median, percentile, type Bar } from './figures';
import type { Nodes } from './graphs';
import { until, type PageWorld } from './page-world';
import { prepare } from './prepare';

const GATE = 'page_is_open';
const STEPS = 40;
const STEP_MS = 100;
const ROUNDS = 3;
const HALTS = 100;
const BY = { reason: 'benchmark', actor: 'bench' } as const;

/**
 * The worker says when an activity ended, in the event of its end; the page, when the frame in which the node's box says so was painted:
 * all that it draws of an event it draws within one frame. Both by the clock of this machine, in milliseconds.
 */
export async function eventPart(world: PageWorld, say: (line: string) => void): Promise<readonly Bar[]> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) took.push(...(await oneExecution(world)));
  const p50 = median(took);
  say(
    `from the end of an activity to the screen, ${took.length} of ${ROUNDS * STEPS}: p50 ${p50.toFixed(1)} ms, p99 ${percentile(took, 0.99).toFixed(1)} ms`,
  );
  return [
    { what: 'from the end of an activity to the screen, p50', figure: p50, most: 50, unit: ' ms' },
    { what: 'ends of activities that were not seen', figure: ROUNDS * STEPS - took.length, most: 0, unit: '' },
  ];
}

const WATCH_NODES = `(() => {
  window.shown = {};
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => { for (const node of data) window.shown[node] ??= Date.now(); };
  new MutationObserver((changes) => {
    const done = changes.map(({ target }) => target).filter(({ dataset }) => dataset.state === 'completed');
    if (done.length > 0) port2.postMessage(done.map(({ dataset }) => dataset.node).filter(Boolean));
  }).observe(document.querySelector('#main'), { subtree: true, attributes: true, attributeFilter: ['data-state'] });
})()`;

async function oneExecution(world: PageWorld): Promise<readonly number[]> {
  const { client, gateway } = world;
  const { execution_id } = await client.startExecution(prepare(slowChain()));
  const page = await world.openPage(`/executions/${execution_id}`);
  await page.locator('[data-node="n1"][data-state="pending"]').waitFor();
  await page.evaluate(WATCH_NODES);
  await until('it goes on', () => isApproved(world, execution_id));
  await until('it is over', () => page.locator(`[data-node="n${STEPS}"][data-state="completed"]`).isVisible());
  const shown = await page.evaluate<Readonly<Record<string, number>>>('window.shown');
  const headers = { authorization: `Bearer ${await gateway.token('viewer')}` };
  const answer = await fetch(`${gateway.url}/api/executions/${execution_id}/events?limit=2000`, { headers });
  const { events } = (await answer.json()) as { readonly events: readonly Told[] };
  await page.close();
  return events.flatMap(({ type, node_id = '', timestamp }) => {
    const at = shown[node_id];
    return type === 'node_completed' && node_id !== GATE && at !== undefined ? [at - Date.parse(timestamp)] : [];
  });
}

/** Until it waits for that, it is refused. */
async function isApproved({ client }: PageWorld, executionId: string): Promise<boolean> {
  const approval = { node: GATE, decision: 'approve', actor: BY.actor } as const;
  return client.approveNode(executionId, approval).then(
    () => true,
    () => false,
  );
}

interface Told {
  readonly type: string;
  readonly node_id?: string;
  readonly timestamp: string;
}

/** It begins once the page is open. */
function slowChain(): Nodes {
  const nodes = Array.from({ length: STEPS }, (_, at) => {
    const first = { params: { ms: STEP_MS, value: 1 }, after: [`${GATE}.approved`] };
    const next = { params: { ms: STEP_MS }, inputs: { value: `n${at}.value` } };
    return [`n${at + 1}`, { type: 'bench_pause', ...(at === 0 ? first : next) }] as const;
  });
  const gate = { type: 'approval', params: { message: 'Is the page open?' } };
  return Object.fromEntries([[GATE, gate], ...nodes]) as Nodes;
}

/**
 * The gate is one as workers have it, which hears closings and reads the desk by itself, in a process that has nothing else to do. The
 * click is that of Enter on the focused button: a pointer has to hold it for 0.8 s first, on purpose. It is timed in the browser.
 */
export async function haltPart(world: PageWorld, say: (line: string) => void): Promise<readonly Bar[]> {
  const { client, closing_key } = world;
  const port = clientDeskPort(client, undefined);
  const log = { warn: () => undefined };
  const guard = new DeskGuard({ desk_id: 'default', port, redis_url: loadConfig().redis.url, closing_key, log });
  const page = await world.openPage('/emergency');
  const isOpen = () => guard.gate.mayTrade([]).open;
  // A gate that merely does not know closes too; this one is closed by a halt alone.
  const isHalted = () => !guard.gate.mayNotify([]).open;
  const took: number[] = [];
  try {
    await page.evaluate(`addEventListener('click', () => { window.clickedAt = Date.now(); }, true)`);
    for (let halt = 0; halt < HALTS; halt += 1) {
      await until('the gate is open', isOpen);
      await page.getByRole('button', { name: 'Halt everything' }).focus();
      const closed = momentOf(isHalted);
      await page.keyboard.press('Enter');
      const at = await closed;
      took.push(at - (await page.evaluate<number>('window.clickedAt')));
      await until('it is sealed', async () => isSealed(await answered(() => client.deskStatus())));
      await answered(() => client.resumeDesk(BY));
    }
  } finally {
    await page.close();
    await guard.close();
  }
  const p99 = percentile(took, 0.99);
  say(`from a click to closed gates, ${HALTS} halts: p50 ${median(took).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  return [{ what: 'from a click on halt to closed gates, p99', figure: p99, most: 150, unit: ' ms' }];
}

function isSealed({ scopes }: Awaited<ReturnType<PageWorld['client']['deskStatus']>>): boolean {
  return scopes.find(({ scope }) => scope === 'global')?.sealed_at !== undefined;
}

/** When it came to be so, looked for with every turn of a millisecond. */
async function momentOf(condition: () => boolean): Promise<number> {
  while (!condition()) await sleep(1);
  return Date.now();
}
