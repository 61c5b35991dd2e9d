/** A large graph at work, beside React Flow as people drive it at first. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { edgesOf } from '../../dashboard/src/graph/edges';
import type { PageGraph } from '../../dashboard/src/wire';
import { executionEvent, nodeEvent, type ExecutionContext } from '../../src/events/build';
import type { NodeFact } from '../../src/events/envelope';
import { median, percentile, type Bar } from './figures';
import { costOf, type Cost } from './frames';
import { mixed, type Nodes } from './graphs';
import { monotonic } from './monotonic';
import { SIZE, until, type PageWorld } from './page-world';

const NODES = 1_000;
const RATE = 1_000;
const SECONDS = 10;
const ROUNDS = 2;
const DRAG_STEPS = 40;
const NAIVE = '.holdfast/bench/naive';
const STARTED: NodeFact = { type: 'node_started' };
const COMPLETED: NodeFact = { type: 'node_completed', status: 'success', duration_ms: 12, outputs: { value: '101.5' } };

export async function graphPart(world: PageWorld, say: (line: string) => void): Promise<readonly Bar[]> {
  const graph = mixed(NODES);
  const [ours, naive]: [AtWork[], AtWork[]] = [[], []];
  // In turn, so that a machine that slows down favours neither.
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await atWork(world, graph, { open: openOurs, ended: OUR_ENDED }));
    say(`${NODES} nodes, ${RATE} events/s, panning: ${costs(ours.at(-1)!)}`);
    naive.push(await atWork(world, graph, { open: openNaive, ended: NAIVE_ENDED }));
    say(`  React Flow driven naively: ${costs(naive.at(-1)!)}`);
  }
  const longest = Math.max(...ours.map((each) => each.longest));
  const share = sum(ours.map(({ in_all }) => in_all)) / sum(naive.map(({ in_all }) => in_all));
  return [
    { what: 'graph: script per frame', figure: median(ours.map(({ script }) => script)), most: 6, unit: ' ms' },
    { what: 'graph: longest task', figure: longest, most: 50, unit: ' ms' },
    { what: 'graph: its script against the naive one’s', figure: share, most: 0.2, unit: '×' },
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function costs({ frames, script, work, in_all, longest, intervals, ended }: AtWork): string {
  const rate = (frames / SECONDS).toFixed(0);
  const paces = `every ${median(intervals).toFixed(1)} ms (p95 ${percentile(intervals, 0.95).toFixed(1)})`;
  return `${rate} frames/s, ${paces}; per frame ${script.toFixed(2)} ms of script, ${work.toFixed(2)} ms of all work; longest task ${longest.toFixed(0)} ms; ${(in_all / 1_000).toFixed(1)} s of script until it has caught up and shows the end of ${ended} nodes`;
}

interface Contender {
  readonly open: (world: PageWorld, id: string) => Promise<Page>;
  /** Of the nodes in its document, those that it shows the end of. */
  readonly ended: string;
}

const OUR_ENDED = '[data-node][data-state="completed"]';
const NAIVE_ENDED = '.react-flow__node:has-text("node_completed")';

interface AtWork extends Cost {
  readonly ended: number;
}

/** The same events on an execution of its own, while the drawing is dragged about. With the last of them all nodes have ended. */
async function atWork(world: PageWorld, nodes: Nodes, { open, ended }: Contender): Promise<AtWork> {
  const of = await world.startUnworked(nodes);
  world.gateway.publish(executionEvent(of, 0, { type: 'execution_started', node_count: NODES }, Date.now()));
  const page = await open(world, of.execution_id);
  const ids = Object.keys(nodes);
  try {
    // Once for nothing, so that neither is measured cold.
    await publishAll(world, of, { ids, seconds: 1, generation: 1 });
    const cost = await costOf(page, async () => {
      await Promise.all([publishAll(world, of, { ids, seconds: SECONDS, generation: 10 }), drag(page, SECONDS)]);
    });
    return { ...cost, ended: await page.locator(ended).count() };
  } finally {
    await page.close();
  }
}

async function openOurs(world: PageWorld, id: string): Promise<Page> {
  const page = await world.openPage(`/executions/${id}`);
  await page.locator('[data-node]').first().waitFor();
  return page;
}

/**
 * On the gateway's own origin; its files come from here, so it is under no content security policy. Of a document that came from no address
 * the browser would ask whether it may reach one on this machine.
 */
async function openNaive(world: PageWorld, id: string): Promise<Page> {
  const page = await world.browser.newPage({ viewport: SIZE });
  await page.context().grantPermissions(['local-network-access']);
  await page.route('**/naive/**', (route) => {
    const { pathname } = new URL(route.request().url());
    const file = pathname.slice('/naive/'.length) || 'index.html';
    const type = { js: 'text/javascript', css: 'text/css' }[file.split('.').at(-1) ?? ''] ?? 'text/html';
    return route.fulfill({ body: readFileSync(join(NAIVE, file)), contentType: type });
  });
  await page.goto(`${world.gateway.url}/naive/?execution=${id}#${await world.gateway.token('viewer')}`);
  await until('the naive page is live', async () => (await page.locator('body').getAttribute('data-live')) === 'true');
  return page;
}

interface Stretch {
  readonly ids: readonly string[];
  readonly seconds: number;
  /** Of the first round; each further round over all nodes is a generation more. */
  readonly generation: number;
}

/** Starts and ends of nodes all over the graph, at an even pace. */
async function publishAll(
  world: PageWorld,
  of: ExecutionContext,
  { ids, seconds, generation }: Stretch,
): Promise<void> {
  const startedAt = monotonic();
  for (let sent = 0; sent < RATE * seconds;) {
    const due = Math.min(RATE * seconds, Math.ceil(((monotonic() - startedAt) * RATE) / 1_000));
    for (; sent < due; sent += 1) {
      const turn = Math.floor(sent / 2);
      const place = { node_id: ids[(turn * 37) % ids.length]!, node_type: 'math', frame: '', dispatch: 1, attempt: 1 };
      const round = { ...place, generation: generation + Math.floor(turn / ids.length) };
      world.gateway.publish(nodeEvent(of, round, sent % 2 === 0 ? STARTED : COMPLETED, Date.now()));
    }
    await sleep(1);
  }
  await world.gateway.sent();
}

/** To and fro over the drawing, as a hand does it. */
async function drag(page: Page, seconds: number): Promise<void> {
  const box = await page.locator('.react-flow__pane').boundingBox();
  if (box === null) throw new Error('there is no drawing to drag');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const reach = Math.min(box.width, box.height) / 3;
  const placed = () => page.locator('.react-flow__viewport').getAttribute('style');
  const before = await placed();
  await page.mouse.move(x, y);
  await page.mouse.down();
  const startedAt = monotonic();
  for (let step = 0; monotonic() - startedAt < 1_000 * seconds; step += 1) {
    const angle = (2 * Math.PI * step) / DRAG_STEPS;
    await page.mouse.move(x + reach * Math.sin(angle), y + (reach * Math.sin(2 * angle)) / 2);
    await sleep(14);
  }
  if ((await placed()) === before) throw new Error('the drawing does not follow the hand');
  await page.mouse.up();
}

const LAYOUTS = [
  { size: 1_000, most: 40 },
  { size: 10_000, most: 300 },
] as const;
const LAYOUT_ROUNDS = 7;

/** In the thread of the page that does it, from the question to the answer. */
export async function layoutPart(world: PageWorld, say: (line: string) => void): Promise<readonly Bar[]> {
  const page = await world.openPage('/');
  const script = threadOf();
  const bars: Bar[] = [];
  for (const { size, most } of LAYOUTS) {
    const nodes = mixed(size) as PageGraph['nodes'];
    const question = { nodes: Object.keys(nodes), edges: edgesOf({ nodes }), direction: 'right', number: 1 };
    const times: number[] = await page.evaluate(
      `(${ASK})(${JSON.stringify({ script, question, rounds: LAYOUT_ROUNDS })})`,
    );
    say(`layout of ${size} nodes: ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
    bars.push({
      what: `layout of ${size} nodes, off the page’s thread`,
      figure: median(times.slice(1)),
      most,
      unit: ' ms',
    });
  }
  await page.close();
  return bars;
}

const ASK = `async ({ script, question, rounds }) => {
  const thread = new Worker(script, { type: 'module' });
  const times = [];
  for (let round = 0; round <= rounds; round += 1) {
    const began = performance.now();
    await new Promise((resolve) => {
      thread.onmessage = resolve;
      thread.postMessage(question);
    });
    times.push(performance.now() - began);
  }
  thread.terminate();
  return times;
}`;

/** The address of the built file. */
function threadOf(): string {
  const file = readdirSync('dist/dashboard/assets').find((name) => /^layout-worker-.*\.js$/.test(name));
  if (file === undefined) throw new Error('the dashboard is not built');
  return `/assets/${file}`;
}
