/**
 * Long lists and long curves. What they show is made up here and answered in the gateway's place: what a page costs its browser is
 * measured, not what Temporal or PostgreSQL take for a hundred thousand of anything.
 */
import type { Page, Route } from 'playwright-core';
import type { Performance } from '../../dashboard/src/wire';
import { percentile, median, type Bar } from './figures';
import { costOf, heapOf } from './frames';
import { until, type PageWorld } from './page-world';
import { prepare } from './prepare';

const ROWS = 100_000;
const PAGE = 200;
const SCROLL_S = 8;
const MIB = 2 ** 20;
const STATES = ['completed', 'failed', 'running', 'halted', 'cancelled'];
const LIST = `document.querySelector('#history .virtual')`;
/** A frame of sixty a second, with what a clock is off. */
const FRAME_MS = 16.7;

export async function historyPart(world: PageWorld, say: (line: string) => void): Promise<readonly Bar[]> {
  const page = await world.openPage('/');
  const empty = await heapOf(page);
  await page.route(/\/api\/executions\?limit=200/, answerRows);
  const began = Date.now();
  await page.getByRole('navigation').getByRole('link', { name: 'Executions' }).click();
  await readToTheEnd(page);
  const seconds = (Date.now() - began) / 1_000;
  const heap = await heapOf(page);
  const cost = await costOf(page, () => scroll(page));
  await page.close();
  const pace = percentile(cost.intervals, 0.95);
  say(`${ROWS} rows, read to the end in ${seconds.toFixed(0)} s: heap ${mib(heap)}, of an empty page ${mib(empty)}`);
  say(
    `  scrolled from end to end: ${cost.frames} frames, every ${median(cost.intervals).toFixed(1)} ms (p95 ${pace.toFixed(1)}); per frame ${cost.work.toFixed(2)} ms of work, longest task ${cost.longest.toFixed(0)} ms`,
  );
  return [
    { what: `history: ${ROWS} rows, between frames of scrolling, p95`, figure: pace, most: FRAME_MS, unit: ' ms' },
    { what: `history: heap with ${ROWS} rows`, figure: heap / MIB, most: 60, unit: ' MiB' },
  ];
}

async function answerRows(route: Route): Promise<void> {
  const from = Number(new URL(route.request().url()).searchParams.get('page') ?? '0');
  const executions = Array.from({ length: PAGE }, (_, at) => rowOf(from + at));
  const next = from + PAGE;
  await route.fulfill({ json: { executions, ...(next < ROWS ? { next_page: String(next) } : {}) } });
}

function rowOf(number: number) {
  const started = Date.UTC(2026, 0, 1) - number * 60_000;
  return {
    ...{ execution_id: `exec_${String(number).padStart(8, '0')}_made_up`, workflow_id: `trading_${number % 40}` },
    ...{ mode: 'paper', state: STATES[number % STATES.length], graph_version: 'abcdef012345' },
    ...{ bot_id: `bot_${number % 7}`, strategy_id: `strategy_${number % 20}` },
    ...{ started_at: new Date(started).toISOString(), closed_at: new Date(started + 45_000).toISOString() },
  };
}

async function readToTheEnd(page: Page): Promise<void> {
  await page.locator('#history .virtual').waitFor();
  await until(
    'all rows are read',
    async () => {
      await page.evaluate(`(${LIST}).scrollTop = (${LIST}).scrollHeight`);
      return (await page.locator('#history li').first().getAttribute('aria-setsize')) === String(ROWS);
    },
    300_000,
  );
}

/** From the top to the bottom and back, a stretch with every frame. */
async function scroll(page: Page): Promise<void> {
  await page.evaluate(
    `new Promise((resolve) => {
      const list = ${LIST};
      const began = performance.now();
      const frame = (at) => {
        const share = (at - began) / ${1_000 * SCROLL_S};
        if (share >= 1) return resolve();
        list.scrollTop = list.scrollHeight * (1 - Math.abs(2 * share - 1));
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    })`,
  );
}

const POINTS = 100_000;
const CHART_ROUNDS = 7;

/** From when the page has the points, read and parsed, to the end of the frame in which they are painted. */
export async function chartPart(world: PageWorld, say: (line: string) => void): Promise<readonly Bar[]> {
  await world.client.deploy(prepare({ a: { type: 'constant', params: { value: 1 } } }, CHARTED));
  const times: number[] = [];
  for (let round = 0; round <= CHART_ROUNDS; round += 1) times.push(await firstPaint(world));
  say(`chart of ${POINTS} points, from the points to the paint: ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
  // The first of a browser pays for compiling the library.
  return [{ what: `chart of ${POINTS} points: first paint`, figure: median(times.slice(1)), most: 150, unit: ' ms' }];
}

const CHARTED = { id: 'page_charted', name: 'Charted', strategy_id: 'page_charted' };
/** The points are had once the answer is parsed; a canvas that is drawn on is painted when the frame's work is over. */
const WATCH_PAINT = `(() => {
  const parse = Response.prototype.json;
  Response.prototype.json = async function () {
    const answer = await parse.call(this);
    if (this.url.includes('/performance')) window.pointsAt = performance.now();
    return answer;
  };
  const draw = CanvasRenderingContext2D.prototype.stroke;
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { window.paintedAt ??= performance.now(); };
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    if (window.pointsAt !== undefined && window.paintedAt === undefined) channel.port2.postMessage(0);
    return draw.apply(this, path);
  };
})()`;

async function firstPaint(world: PageWorld): Promise<number> {
  const page = await world.openPage('/strategies');
  await page.evaluate(WATCH_PAINT);
  await page.route(/\/performance/, (route) => route.fulfill({ json: PERFORMANCE }));
  await page.getByRole('link', { name: CHARTED.name }).click();
  await page.locator('.chart-place canvas').first().waitFor();
  await until('the curve is painted', () => page.evaluate<boolean>('window.paintedAt !== undefined'));
  const took = await page.evaluate<number>('paintedAt - pointsAt');
  await page.close();
  return took;
}

const EQUITY = Array.from({ length: POINTS }, (_, at) => ({
  at: new Date(Date.UTC(2026, 0, 1) + at * 6_000).toISOString(),
  ...{ realized: (500 * Math.sin(at / 900) + (at % 97) / 7).toFixed(4), unrealized: '0', fees: '0' },
}));
const PERFORMANCE: Performance = {
  metrics: {
    ...{ realized_pnl: '0', unrealized_pnl: '0', fees: '0', exposure: '0' },
    ...{ orders: 0, executions: 0, failures: 0 },
  },
  equity: EQUITY,
  fills: [],
  halts: [],
};

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
