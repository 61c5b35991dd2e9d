/**
 * Events on their way from executions to clients, while what they go through breaks.
 *
 * Three gateways, a worker, a Redis and clients of `holdfast/client`; events of executions that exist in the log alone at a steady rate, and of
 * real ones. Shown, for each fault: no client misses an event without being told, and in the end each shows what is so, by Temporal's word for
 * real executions. Then the log is emptied with executions running and ended: lists, snapshots and timelines must be right again within
 * ten seconds. Last executions are terminated, time out, are reset: each must show right within five. Ends with code 1 when one of these does
 * not hold.
 *
 * `npm run soak:events -- --trials=1 --rate=500 --clients=20 --executions=100 [--only=a]`; rows are a to h, `rebuild` and `behind`.
 */
import { parseArgs } from 'node:util';
import { BehindBack, type Shown } from '../../tests/support/behind-back';
import { faultTable } from '../../tests/support/fault-table';
import { faultTrial, type Fault, type TrialReport } from '../../tests/support/fault-trial';
import { FaultWorld } from '../../tests/support/fault-world';
import { rebuildCampaign } from '../../tests/support/rebuild-campaign';
import { machine } from '../support/figures';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '1' },
    rate: { type: 'string', default: '500' },
    clients: { type: 'string', default: '20' },
    executions: { type: 'string', default: '100' },
    only: { type: 'string' },
  },
});
const [TRIALS, RATE, CLIENTS, EXECUTIONS] = [options.trials, options.rate, options.clients, options.executions].map(
  Number,
) as [number, number, number, number];
const GATEWAYS = 3;
const REBUILD = 'rebuild';
const REBUILT_WITHIN_MS = 10_000;
const BEHIND = 'behind';
const SHOWN_WITHIN_MS = 5_000;
const ROWS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', REBUILD, BEHIND];
/** A rate that is not reached proves less than it says. */
const LEAST_RATE = 0.95;
const TRIAL = { streams: 20, executions: 10, naps: 15, before_ms: 3_000, after_ms: 5_000 };
const WIDTHS = [4, 52, 8, 10, 9, 7, 10];

function isChosen(row: string): boolean {
  return options.only === undefined || options.only === row;
}

async function main(): Promise<void> {
  say(machine());
  if (!ROWS.some(isChosen)) throw new Error(`there is no row ${options.only ?? ''}; there are ${ROWS.join(', ')}`);
  const world = await FaultWorld.open(GATEWAYS);
  try {
    const wrong = await runAll(world);
    if (wrong > 0) process.exitCode = 1;
    else say('✓ nothing was missed in silence, and all came to be shown as it is');
  } finally {
    await world.close();
  }
}

/** How much was wrong. */
async function runAll(world: FaultWorld): Promise<number> {
  const table = faultTable({ hang_ms: 5_000, offline_ms: 60_000 }).filter(({ row }) => isChosen(row));
  let wrong = table.length === 0 ? 0 : await breakAll(world, table);
  for (let trial = 0; trial < TRIALS; trial += 1) {
    if (isChosen(REBUILD)) wrong += await rebuild(world);
    if (isChosen(BEHIND)) wrong += await behindTheirBack(world);
  }
  return wrong;
}

async function breakAll(world: FaultWorld, table: readonly Fault[]): Promise<number> {
  let wrong = 0;
  say(columns(['', '', 'clients', 'events', 'rate', 'gaps', 'settled']));
  for (const fault of table) {
    for (let trial = 0; trial < TRIALS; trial += 1) wrong += conclude(fault, await tried(world, fault));
  }
  return wrong;
}

async function tried(world: FaultWorld, fault: Fault): Promise<TrialReport> {
  return faultTrial(world, fault, { ...TRIAL, clients: CLIENTS, rate: RATE });
}

function conclude({ row, what }: Fault, report: TrialReport): number {
  const { clients, published, rate, gaps, settled_ms } = report;
  const settled = `${(settled_ms / 1_000).toFixed(1)} s`;
  say(columns([row, what, `${clients}`, `${published}`, `${rate}/s`, `${gaps}`, settled]));
  const wrong = [...report.wrong, ...(rate < RATE * LEAST_RATE ? [`only ${rate} events a second`] : [])];
  for (const each of wrong) say(`✗ ${each}`);
  return wrong.length;
}

async function rebuild(world: FaultWorld): Promise<number> {
  const deadline_ms = REBUILT_WITHIN_MS;
  const { executions, rebuilt_ms, wrong } = await rebuildCampaign(world, { executions: EXECUTIONS, deadline_ms });
  say(
    `${executions} executions, half of them ended, ${wrong.length === 0 ? 'all' : 'not all'} right again ${(rebuilt_ms / 1_000).toFixed(1)} s after FLUSHALL`,
  );
  for (const each of wrong) say(`✗ ${each}`);
  return wrong.length;
}

async function behindTheirBack(world: FaultWorld): Promise<number> {
  const behind = new BehindBack(world);
  const cases: readonly (readonly [what: string, happens: () => Promise<Shown>])[] = [
    ['terminated', () => behind.terminated()],
    ['timed out', () => behind.timedOut()],
    ['reset while open', () => behind.reset()],
    ['reset after its end', () => behind.resetAfterItsEnd()],
  ];
  let wrong = 0;
  for (const [what, happens] of cases) {
    const { ms } = await happens();
    const isLate = ms > SHOWN_WITHIN_MS;
    say(`${isLate ? '✗' : ' '} an execution ${what} shows as that after ${(ms / 1_000).toFixed(1)} s`);
    if (isLate) wrong += 1;
  }
  return wrong;
}

function columns(cells: readonly string[]): string {
  return cells.map((cell, at) => (at < 2 ? cell.padEnd(WIDTHS[at] ?? 0) : cell.padStart(WIDTHS[at] ?? 0))).join('');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
