/** What a page costs its browser while something happens: from the browser's own counters, by its debugging protocol. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';

export interface Cost {
  readonly frames: number;
  /** Milliseconds of processor time in script per frame, events, timers and drawing alike: what else the machine does is not in it. */
  readonly script: number;
  /** The same of every kind of work of the page's thread: script, style, layout, painting. */
  readonly work: number;
  /**
   * Milliseconds of script from the beginning until the page has caught up: one that falls behind puts its work off, and what it spends
   * while somebody looks says too little of it.
   */
  readonly in_all: number;
  /** Of the longest task, milliseconds; 0 when none took 50. */
  readonly longest: number;
  /** Milliseconds between frames. */
  readonly intervals: readonly number[];
}

/** Tasks that hold the page up for 50 ms and more are told by the browser; frames are counted by asking for each. */
const WATCH = `(() => {
  const seen = { intervals: [], tasks: [], last: undefined, on: true };
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' });
  const frame = (at) => {
    if (seen.last !== undefined) seen.intervals.push(at - seen.last);
    seen.last = at;
    if (seen.on) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.seen = seen;
})()`;
/** After two frames and a turn, so that what was told to the observer is in. */
const TELL = `new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
    seen.on = false;
    resolve({ intervals: seen.intervals, tasks: seen.tasks });
  }, 100)));
})`;

const CAUGHT_UP_LOOK_MS = 3_000;
/** Of script, milliseconds in that time: less is a page at rest. */
const AT_REST_MS = 30;
const CAUGHT_UP_WITHIN_MS = 180_000;

/** What `act` costs the page from its beginning to its end. */
export async function costOf(page: Page, act: () => Promise<void>): Promise<Cost> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.evaluate(WATCH);
  const before = await countersOf(session);
  await act();
  const after = await countersOf(session);
  const { intervals, tasks } = await page.evaluate<{ readonly intervals: number[]; readonly tasks: number[] }>(TELL);
  const last = await scriptAtRest(session);
  await session.detach();
  const frames = Math.max(1, intervals.length);
  const spent = (name: string) => (1_000 * ((after.get(name) ?? NaN) - (before.get(name) ?? NaN))) / frames;
  return {
    frames,
    script: spent('ScriptDuration'),
    work: spent('TaskDuration'),
    in_all: 1_000 * (last - (before.get('ScriptDuration') ?? NaN)),
    longest: Math.max(0, ...tasks),
    intervals,
  };
}

/** Seconds of script so far, once it does not grow any more. */
async function scriptAtRest(session: CDPSession): Promise<number> {
  const script = async () => (await countersOf(session)).get('ScriptDuration') ?? NaN;
  const deadline = Date.now() + CAUGHT_UP_WITHIN_MS;
  for (let before = await script(); ;) {
    await sleep(CAUGHT_UP_LOOK_MS);
    const now = await script();
    if (1_000 * (now - before) < AT_REST_MS) return now;
    if (Date.now() > deadline) throw new Error('the page does not come to rest');
    before = now;
  }
}

async function countersOf(session: CDPSession): Promise<ReadonlyMap<string, number>> {
  const { metrics } = await session.send('Performance.getMetrics');
  return new Map(metrics.map(({ name, value }) => [name, value]));
}

/** Bytes of the page's JavaScript that are in use once all garbage is gone. */
export async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}
