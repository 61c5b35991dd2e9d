/**
 * What the dashboard costs its browser, and how old what it shows is: the released page in a real Chromium, on the released gateway and
 * worker, Temporal and Redis.
 *
 * Measured: script per frame and the longest task while a graph of 1,000 nodes is told of 1,000 events a second and dragged about, beside
 * React Flow with one `setNodes` per event on the same events in the same run (`bench/naive`); placing 1,000 and 10,000 boxes; scrolling
 * through 100,000 rows and what they hold of memory; the first paint of a curve of 100,000 points; the way from the end of an activity to the
 * screen, and from a click on halt to a closed gate. Not measured: networks, a slower screen than this machine's, a graphics card: Chromium
 * paints by processor here, which shares two cores with everything else.
 *
 * `npm run bench dashboard -- --part=graph,event`: parts are layout, graph, history, chart, event and halt. Ends with code 1 when a bar is
 * missed.
 */
import { parseArgs } from 'node:util';
import { barLine, isReached, machine, type Bar } from './support/figures';
import { graphPart, layoutPart } from './support/page-graph';
import { chartPart, historyPart } from './support/page-lists';
import { eventPart, haltPart } from './support/page-live';
import { PageWorld } from './support/page-world';

const { values: options } = parseArgs({ options: { part: { type: 'string', default: '' } } });
const parts: Readonly<Record<string, typeof graphPart>> = {
  layout: layoutPart,
  graph: graphPart,
  history: historyPart,
  chart: chartPart,
  event: eventPart,
  halt: haltPart,
};

async function main(): Promise<void> {
  say(machine());
  const names = options.part === '' ? Object.keys(parts) : options.part.split(',');
  const unknown = names.filter((name) => parts[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  const bars: Bar[] = [];
  const world = await PageWorld.open();
  try {
    say(`Chromium ${world.browser.version()}`);
    for (const name of names) bars.push(...((await parts[name]?.(world, say)) ?? []));
  } finally {
    await world.close();
  }
  say(machine());
  for (const bar of bars) say(barLine(bar));
  if (!bars.every(isReached)) process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
