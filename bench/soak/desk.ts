/**
 * The emergency desk over a long life, and a halt of many executions, with the released worker in a process of its own.
 *
 * Measured: a hundred thousand commands one after the other in a hundred lanes: the longest history of a run, what a run hands to the
 * next, the worker's memory early and late. Then executions that wait, halted together: the desk's answer, and when the last of them says in
 * its durable state that it is halted. Ends with code 1 when a bar is missed.
 *
 * `npm run soak:desk -- --commands=100000 --executions=1000`
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../../src/config/config';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { barLine, isReached, machine, type Bar } from '../support/figures';
import { prepare } from '../support/prepare';
import { SoakWorker } from '../support/soak-worker';

const { values: options } = parseArgs({
  options: { commands: { type: 'string', default: '100000' }, executions: { type: 'string', default: '1000' } },
});
const COMMANDS = Number(options.commands);
const EXECUTIONS = Number(options.executions);
const LANES = 100;
const STARTS_AT_ONCE = 20;
const SCOPES = 300;
const MIB = 2 ** 20;
const BY = { reason: 'a long life', actor: 'soak' } as const;

class Soak {
  readonly bars: Bar[] = [];
  readonly #client: HoldfastClient;
  readonly #temporal: Client;
  readonly #worker: SoakWorker;
  readonly #desk = `soak-${randomUUID()}`;

  constructor(client: HoldfastClient, temporal: Client, worker: SoakWorker) {
    this.#client = client;
    this.#temporal = temporal;
    this.#worker = worker;
  }

  async run(): Promise<void> {
    await this.#client.ensureDesk(this.#desk);
    await this.#client.initDesk(BY, { currency: 'USDT', time_zone: 'UTC' }, this.#desk);
    await this.#live();
    await this.#haltMany();
  }

  async #live(): Promise<void> {
    const began = performance.now();
    await this.#command(COMMANDS / 10, 0);
    const early = this.#worker.memory;
    await this.#command(COMMANDS - COMMANDS / 10, COMMANDS / 10);
    const late = this.#worker.memory;
    const seconds = (performance.now() - began) / 1_000;
    const { runs, longest, handedOver } = await this.#runs();
    say(
      `${COMMANDS} commands in ${seconds.toFixed(0)} s, ${runs} runs; memory ${mib(early)} MiB after a tenth, ${mib(late)} MiB at the end`,
    );
    this.bars.push(
      { what: 'longest history of a run, events', figure: longest, most: 4_096, unit: '' },
      { what: 'handed to the next run, at most', figure: handedOver / MIB, most: 2, unit: ' MiB' },
      { what: 'memory at the end against a tenth of the way', figure: late / early, most: 1.5, unit: '×' },
    );
  }

  async #command(count: number, from: number): Promise<void> {
    let next = from;
    const lane = async (): Promise<void> => {
      while (next < from + count) {
        const at = next++;
        const scope = `symbol:S${at % SCOPES}`;
        await this.#client.commandDesk({ action: 'alert', scope, command_id: `c-${at}`, ...BY }, this.#desk);
        if (at % (COMMANDS / 10) === 0) say(`  command ${at}`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async #runs(): Promise<{ runs: number; longest: number; handedOver: number }> {
    const workflowId = `desk/${this.#desk}`;
    let [runs, longest] = [0, 0];
    for await (const run of this.#temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      runs += 1;
      longest = Math.max(longest, run.historyLength);
    }
    const { events } = await this.#temporal.workflow.getHandle(workflowId).fetchHistory();
    const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    return { runs, longest, handedOver: payloads.reduce((sum, { data }) => sum + (data?.length ?? 0), 0) };
  }

  async #haltMany(): Promise<void> {
    const graph = prepare({ nap: { type: 'wait', params: { for: '1h' } } }, { desk: this.#desk });
    const began = performance.now();
    let left = EXECUTIONS;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await this.#client.startExecution(graph);
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, lane));
    await this.#countOf('waiting', EXECUTIONS);
    say(`${EXECUTIONS} executions wait after ${((performance.now() - began) / 1_000).toFixed(0)} s`);
    const given = performance.now();
    await this.#client.commandDesk({ action: 'halt', scope: 'global', command_id: randomUUID(), ...BY }, this.#desk);
    say(`the desk answers after ${(performance.now() - given).toFixed(0)} ms`);
    await this.#countOf('halted', EXECUTIONS);
    const figure = (performance.now() - given) / 1_000;
    this.bars.push({ what: `${EXECUTIONS} durable states say halted after`, figure, most: 20, unit: ' s' });
  }

  /** By the executions' own search attribute, which each sets when it is. */
  async #countOf(state: string, wanted: number): Promise<void> {
    const query = `HoldfastDesk = '${this.#desk}' AND HoldfastState = '${state}' AND ExecutionStatus = 'Running'`;
    const deadline = Date.now() + 300_000;
    for (;;) {
      const { count } = await this.#temporal.workflow.count(query);
      if (count >= wanted) return;
      if (Date.now() > deadline) throw new Error(`${count} of ${wanted} executions are ${state} after 300 s`);
      await sleep(100);
    }
  }
}

async function main(): Promise<void> {
  const queue = `soak-${randomUUID()}`;
  const environment = { HOLDFAST_TASK_QUEUE: queue, HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk` };
  const { temporal } = loadConfig({ ...process.env, ...environment });
  say(machine());
  const worker = await SoakWorker.start(environment);
  const client = await HoldfastClient.connect(temporal);
  const connection = await Connection.connect({ address: temporal.address });
  const soak = new Soak(client, new Client({ connection, namespace: temporal.namespace }), worker);
  try {
    await soak.run();
  } finally {
    await client.close();
    await connection.close();
    await worker.stop();
  }
  for (const bar of soak.bars) say(barLine(bar));
  if (!soak.bars.every(isReached)) process.exitCode = 1;
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
