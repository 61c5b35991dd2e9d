/**
 * Pages of the dashboard that stay open, in a real Chromium on the released gateway and worker.
 *
 * Two are looked at: the overview, and an execution whose nodes run again and again, while other executions come and go. First events come
 * fast, until all a page keeps is full: the views of a thousand executions, the events of one. Then they come steadily, for as long as it was
 * asked to. Shown: the heap, once all garbage is gone, grows by no more than 5 % from then on. A third page is put away frozen, as a browser
 * does with a tab nobody looks at: no script of it runs, its connection dies. Shown: ten minutes later it is live and right within a second of
 * its return. Ends with code 1 when one of these does not hold.
 *
 * `npm run soak:dashboard -- --minutes=60 [--away=10]`: both in minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { barLine, isReached, machine, type Bar } from '../support/figures';
import { heapOf } from '../support/frames';
import { PageLoad, SENTINEL } from '../support/page-load';
import { PageWorld, until } from '../support/page-world';

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, away: { type: 'string', default: '10' } },
});
const MINUTE_MS = 60_000;
const LENGTH_MS = Number(options.minutes) * MINUTE_MS;
const AWAY_MS = Number(options.away) * MINUTE_MS;
/** Events a second; until a page is full, and from then on. */
const FAST = 400;
const STEADY = 100;
/** Of a page that is full the events of one execution go up and down by a tenth: the most of several readings over that time counts. */
const READINGS = 5;
const BETWEEN_MS = 20_000;
const MIB = 2 ** 20;

interface Watched {
  readonly name: string;
  readonly page: Page;
}

async function main(): Promise<void> {
  say(machine());
  const world = await PageWorld.open();
  const load = await PageLoad.start(world);
  try {
    const bars = await soaked(world, load);
    say(machine());
    for (const bar of bars) say(barLine(bar));
    if (!bars.every(isReached)) process.exitCode = 1;
  } finally {
    await load.stop();
    await world.close();
  }
}

async function soaked(world: PageWorld, load: PageLoad): Promise<readonly Bar[]> {
  const path = `/executions/${load.watched.execution_id}`;
  const watched: readonly Watched[] = [
    { name: 'overview', page: await world.openPage('/') },
    { name: 'execution', page: await world.openPage(path) },
  ];
  await watched[1]?.page.locator('[data-node]').first().waitFor();
  load.rate = FAST;
  await until('all that a page keeps is full', () => load.isFull, 30 * MINUTE_MS);
  load.rate = STEADY;
  say(`full after ${load.told} events; now ${STEADY} a second for ${options.minutes} minutes`);
  const away = putAway(world, load, path);
  const before = await readings(watched);
  const end = Date.now() + LENGTH_MS - READINGS * BETWEEN_MS;
  while (Date.now() < end) {
    await sleep(Math.min(MINUTE_MS, Math.max(0, end - Date.now())));
    const heaps = await Promise.all(watched.map(async ({ name, page }) => `${name} ${mib(await heapOf(page))}`));
    say(`  ${load.told} events told, heap: ${heaps.join(', ')}`);
  }
  const after = await readings(watched);
  const returned = await away;
  return [
    ...watched.map(({ name }, at) => ({
      what: `heap of the ${name} page against when it was full`,
      figure: (after[at] ?? NaN) / (before[at] ?? NaN),
      most: 1.05,
      unit: '×',
    })),
    { what: `a page that was away: live and right after its return`, figure: returned, most: 1_000, unit: ' ms' },
  ];
}

/** The most of several readings, in bytes, for each page. */
async function readings(watched: readonly Watched[]): Promise<readonly number[]> {
  const most = watched.map(() => 0);
  for (let reading = 0; reading < READINGS; reading += 1) {
    await sleep(BETWEEN_MS);
    for (const [at, { page }] of watched.entries()) most[at] = Math.max(most[at] ?? 0, await heapOf(page));
  }
  say(`heap: ${watched.map(({ name }, at) => `${name} ${mib(most[at] ?? NaN)}`).join(', ')}`);
  return most;
}

/** Milliseconds from the return until the page shows what was told while it was away, and is live. */
async function putAway(world: PageWorld, load: PageLoad, path: string): Promise<number> {
  const page = await world.openPage(path);
  const shows = (state: string) => `document.querySelector('[data-node="${SENTINEL}"]')?.dataset.state === '${state}'`;
  await page.locator(`[data-node="${SENTINEL}"]`).waitFor();
  load.sentinel('node_started');
  await until('the page shows the start', () => page.evaluate<boolean>(shows('running')));
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await sleep(AWAY_MS);
  load.sentinel('node_completed');
  await load.settled();
  const back = Date.now();
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  const isRight = `${shows('completed')} && document.querySelector('#feed')?.dataset.state === 'live'`;
  await until('the page is right again', () => page.evaluate<boolean>(isRight));
  const took = Date.now() - back;
  say(`a page that was away for ${options.away} minutes was live and right ${took} ms after its return`);
  await page.close();
  return took;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
