/**
 * What the emergency desk costs.
 *
 * Measured: permits per second that two workers' clients get, each asking for 200 at once and giving every one back; how long one permit
 * takes on an idle desk, beside an update of an empty workflow; how long a halt takes until it is answered, on an idle desk and while
 * permits are asked for without pause, beside another update of the same desk at the same moment, and that once more on a server with its
 * stock settings; the longest time without an answer while the desk goes on in new runs. The desk's worker is a process of its own, as
 * released. Not measured: venues, nodes.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../src/config/config';
import type { PermitRequest } from '../src/emergency/model';
import { HoldfastClient } from '../src/temporal-client/holdfast-client';
import { clientDeskPort } from '../src/worker/client-desk-port';
import { GateKeeper } from '../src/worker/gate-keeper';
import { PermitDesk } from '../src/worker/permits';
import { openWorld } from './support/bench-world';
import { machine, median, percentile } from './support/figures';
import { SoakWorker } from './support/soak-worker';
import { onStockServer } from './support/stock-server';

const AT_ONCE = 200;
const SECONDS = 10;
const SINGLE = 200;
const HALTS = 40;
const BY = { reason: 'benchmark', actor: 'bench' } as const;
const SETTING = { currency: 'USDT', time_zone: 'UTC' } as const;

interface Asker {
  readonly client: HoldfastClient;
  readonly gate: GateKeeper;
  readonly permits: PermitDesk;
}

async function main(): Promise<void> {
  say(machine());
  const { temporal } = loadConfig();
  await atDesk({}, async (askers, desk) => {
    await single(askers[0], temporal.address);
    await idleHalts(askers[0].client, desk);
    const { granted, longest, stall } = await flood(askers, SECONDS * 1_000);
    say(`permits, two clients, ${AT_ONCE} at once each: ${Math.round(granted / SECONDS)}/s (bar: at least 2,000/s)`);
    say(
      `  the longest time without any answer ${ms(stall)} (bar: 200 ms); the longest wait of one permit ${ms(longest)}`,
    );
    await saturatedHalts(askers, desk);
  });
  await onStockServer(async (address) => {
    say('the same on a server with its stock settings:');
    await atDesk({ TEMPORAL_ADDRESS: address }, saturatedHalts);
  });
}

/** With a worker process of its own, and two that ask. */
async function atDesk(
  given: Readonly<Record<string, string>>,
  work: (askers: readonly [Asker, Asker], desk: string) => Promise<void>,
): Promise<void> {
  const queue = `bench-${randomUUID()}`;
  const environment = { ...given, HOLDFAST_TASK_QUEUE: queue, HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk` };
  const { temporal } = loadConfig({ ...process.env, ...environment });
  const worker = await SoakWorker.start(environment);
  const desk = `bench-${randomUUID()}`;
  const askers = [await openAsker(temporal, desk), await openAsker(temporal, desk)] as const;
  try {
    await work(askers, desk);
  } finally {
    for (const { client, gate, permits } of askers) {
      await permits.close();
      gate.close();
      await client.close();
    }
    await worker.stop();
  }
}

async function openAsker(temporal: ReturnType<typeof loadConfig>['temporal'], desk: string): Promise<Asker> {
  const client = await HoldfastClient.connect(temporal);
  await client.ensureDesk(desk);
  const { state } = await client.deskStatus(desk);
  if (state === 'halt') await client.initDesk(BY, SETTING, desk);
  const port = clientDeskPort(client, desk);
  const gate = new GateKeeper({ port });
  gate.onLive();
  while (!gate.mayTrade([]).open) {
    gate.onBeat();
    await sleep(20);
  }
  return { client, gate, permits: new PermitDesk({ port, gate }) };
}

function order(): PermitRequest {
  return {
    ...{ permit_id: randomUUID(), account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
    ...{ quantity: '0.0001', price: '100', currency: 'USDT', execution_id: 'bench' },
  };
}

/** Milliseconds it took; given back unused at once. */
async function ask({ gate, permits }: Asker): Promise<number> {
  gate.onBeat();
  const began = performance.now();
  const permit = await permits.request(order());
  const took = performance.now() - began;
  permit.settle('unused');
  return took;
}

/** In turns with an update of a workflow that does nothing, which is what the server and the SDK cost alone. */
async function single(asker: Asker, address: string): Promise<void> {
  const world = await openWorld({ address });
  const answer = await world.answering();
  const [times, bare]: [number[], number[]] = [[], []];
  for (let at = 0; at < SINGLE; at += 1) {
    times.push(await ask(asker));
    while (asker.permits.unsettled > 0) await sleep(5);
    bare.push(await answer());
  }
  await world.close();
  say(`one permit, idle: p50 ${ms(median(times))}, p99 ${ms(percentile(times, 0.99))} (bar: p50 at most 12 ms)`);
  say(`  an update of an empty workflow: p50 ${ms(median(bare))}, p99 ${ms(percentile(bare, 0.99))}`);
}

/** Asks without pause until the time is over. */
async function flood(
  askers: readonly Asker[],
  length: number,
): Promise<{ granted: number; longest: number; stall: number }> {
  const end = performance.now() + length;
  let granted = 0;
  let last = performance.now();
  let stall = 0;
  let refused = 0;
  let longest = 0;
  const lane = async (asker: Asker): Promise<void> => {
    while (performance.now() < end) {
      try {
        longest = Math.max(longest, await ask(asker));
        stall = Math.max(stall, performance.now() - last);
        last = performance.now();
        granted += 1;
      } catch {
        refused += 1;
        await sleep(20);
      }
    }
  };
  await Promise.all(askers.flatMap((asker) => Array.from({ length: AT_ONCE }, () => lane(asker))));
  if (refused > 0) say(`  ${refused} were refused or not answered within half a second`);
  return { granted, longest, stall };
}

async function idleHalts(client: HoldfastClient, desk: string): Promise<void> {
  const { halts } = await haltAgain(client, desk);
  say(
    `halt until its answer, idle: p50 ${ms(median(halts))}, p99 ${ms(percentile(halts, 0.99))} (bar: p99 at most 60 ms)`,
  );
}

/** While permits are asked for: in a scope of their own, so that the flood goes on. */
async function saturatedHalts(askers: readonly [Asker, Asker], desk: string): Promise<void> {
  const flooding = flood(askers, 15_000);
  await sleep(1_000);
  const { halts, others } = await haltAgain(askers[0].client, desk);
  await flooding;
  const [halt, other] = [median(halts), median(others)];
  say(
    `halt until its answer, flooded: p50 ${ms(halt)}, p99 ${ms(percentile(halts, 0.99))}, most ${ms(Math.max(...halts))} (bar: 500 ms)`,
  );
  say(`  beside another update: p50 ${ms(other)}; ratio ${(halt / other).toFixed(2)} (bar: at most 2)`);
}

async function haltAgain(client: HoldfastClient, desk: string): Promise<{ halts: number[]; others: number[] }> {
  const halts: number[] = [];
  const others: number[] = [];
  for (let at = 0; at < HALTS; at += 1) {
    const command_id = randomUUID();
    const price = { venue: 'bench', symbol: 'NONE/USDT', price: '1', currency: 'USDT', at: Date.now() };
    const halting = timed(client.commandDesk({ action: 'halt', scope: 'strategy:bench', command_id, ...BY }, desk));
    const other = timed(client.recordAtDesk('price', price, desk));
    halts.push(await halting);
    others.push(await other);
    await sleep(100);
  }
  return { halts, others };
}

async function timed(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work;
  return performance.now() - began;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
