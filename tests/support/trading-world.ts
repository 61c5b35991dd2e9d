/** Executions that trade at a paper venue with faults, by a worker process that can be killed. The venue's own books say what was ordered. */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createKinds } from '../../src/activities/kinds';
import { sha256 } from '../../src/cli/sha256';
import { loadConfig } from '../../src/config/config';
import type { CommandAnswer } from '../../src/emergency/model';
import type { DeskStatus } from '../../src/emergency/status';
import { prepareGraph } from '../../src/graph/prepare';
import type { FaultSettings } from '../../src/paper-venue/faults';
import { recordedProfiles } from '../../src/paper-venue/recorded-profiles';
import { startPaperVenue, type PaperVenue } from '../../src/paper-venue/start-paper-venue';
import { startAttributes } from '../../src/workflows/search-attributes';
import { present } from '../../src/json';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { recordings } from '../../src/venues/recordings';
import { replayWindow } from '../../src/venues/recorded-venue';
import { replayTime } from '../../src/venues/replay-clock';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { paperClient } from './paper-client';
import { readyDesk } from './ready-desk';
import { answered, until } from './until';
import { WorkerProcess } from './worker-process';
import { testBundle } from './workflow-bundle';

/** A minute of the recording passes in a second. */
const SPEED = 60;
const DATA = join(__dirname, '../../examples/data');
const WITHIN_MS = 90_000;
const KINDS = createKinds({ venues: new Map() });
const BY = { reason: 'a test of orders', actor: 'test' } as const;

export interface BookedOrder {
  readonly order_id: number;
  readonly client_order_id: string;
  readonly side: 'BUY' | 'SELL';
  readonly status: string;
  readonly quantity: string;
  readonly executed: string;
  readonly executed_quote: string;
  readonly price?: string;
  readonly accepted_ms: number;
}

interface Books {
  readonly orders: readonly BookedOrder[];
}

interface Parts {
  readonly environment: Readonly<Record<string, string>>;
  readonly venue: PaperVenue;
  readonly client: HoldfastClient;
  readonly temporal: Client;
  readonly startWorker: () => Promise<WorkerProcess>;
}

export type Profile = 'paper_binance' | 'paper_bybit';

export class TradingWorld {
  readonly desk = `trading-${randomUUID()}`;
  readonly client: HoldfastClient;
  /** The SDK's own, for what only an outsider would do. */
  readonly temporal: Client;
  readonly #parts: Parts;
  readonly #started: string[] = [];
  #worker: WorkerProcess | undefined;
  /** Orders that earlier tests left in the books, by profile. */
  #seen = new Map<Profile, number>();

  private constructor(parts: Parts) {
    this.client = parts.client;
    this.temporal = parts.temporal;
    this.#parts = parts;
  }

  /** `given`: what its workers are to find in their environment besides. `openVenue`: where they trade, if not at the recorded markets. */
  static async open(
    given: Readonly<Record<string, string>> = {},
    openVenue: () => Promise<PaperVenue> = recordedMarkets,
  ): Promise<TradingWorld> {
    const venue = await openVenue();
    const queue = `trading-${randomUUID()}`;
    const environment = {
      ...given,
      HOLDFAST_TASK_QUEUE: queue,
      HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
      HOLDFAST_PAPER_VENUE_URL: venue.url,
      HOLDFAST_REPLAY_SPEED: String(SPEED),
    };
    const { temporal } = loadConfig({ ...process.env, ...environment });
    const { codePath } = await testBundle(false);
    const connection = await Connection.connect({ address: temporal.address });
    const world = new TradingWorld({
      environment,
      venue,
      client: await HoldfastClient.connect(temporal),
      temporal: new Client({ connection, namespace: temporal.namespace }),
      startWorker: () => WorkerProcess.start(environment, codePath, ''),
    });
    try {
      await world.startWorker();
      // On a loaded machine the desk's first answer may be late.
      await answered(() => readyDesk(world.client, world.desk).then(() => true));
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** What another process needs to find it all. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.#parts.environment };
  }

  get venueUrl(): string {
    return this.#parts.venue.url;
  }

  async startWorker(): Promise<void> {
    this.#worker = await this.#parts.startWorker();
  }

  /** ccxt's own client of an account there. */
  outsider(profile: Profile = 'paper_binance') {
    return paperClient(this.#parts.venue.url, profile);
  }

  /** How old the market's last price is by the replay clock, milliseconds. */
  async priceAge(profile: Profile): Promise<number> {
    const recording = recordings.find((each) => each.profile === profile)!;
    const symbol = recording.symbol.replace('/', '');
    const answer = await fetch(`${this.#parts.venue.url}/${profile}/api/v3/ticker/24hr?symbol=${symbol}`);
    const { closeTime } = (await answer.json()) as { closeTime: number };
    return replayTime(Date.now(), replayWindow(recording, SPEED)) - closeTime;
  }

  /** With SIGKILL: nothing it did last is reported by anybody. */
  async killWorker(): Promise<void> {
    await this.#worker?.kill();
  }

  /** The same while another one works already, so that what is measured is not how long a process takes to start. */
  async replaceWorker(): Promise<void> {
    const killed = this.#worker;
    await this.startWorker();
    await killed?.kill();
  }

  /**
   * `owner`: bot and strategy, where it has them. With an id that is given its orders are known beforehand, by `clientIdOf`: it is started as
   * earlier releases did.
   */
  async start(
    nodes: Readonly<Record<string, unknown>>,
    given?: string,
    owner: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const id = given ?? newExecution();
    const document = { holdfast: 1, id: 'trading', desk: this.desk, ...owner, nodes };
    const { orders_by_run, ...named } = prepareGraph({ document }, KINDS, { mode: 'paper', sha256 }).prepared;
    const prepared = given === undefined ? { ...named, ...present({ orders_by_run }) } : named;
    const { execution_id } = await answered(() => this.client.startExecution(prepared, { execution_id: id }));
    this.#started.push(execution_id);
    return execution_id;
  }

  /** That goes on in a new run after every few tasks. */
  async startInRuns(nodes: Readonly<Record<string, unknown>>): Promise<string> {
    const document = { holdfast: 1, id: 'trading', desk: this.desk, nodes };
    const { prepared } = prepareGraph({ document }, KINDS, { mode: 'paper', sha256 });
    const input = { ...prepared, settings: { tasks_per_run: 3 } };
    const { execution_id } = await answered(() => this.client.startExecution(input));
    this.#started.push(execution_id);
    return execution_id;
  }

  /** The desk hears of so many permits since that it knows no more which it granted before. */
  async forgetPermits(): Promise<void> {
    for (let batch = 0; batch < 70; batch += 1) {
      const ids = Array.from({ length: 100 }, (_, n) => `forgotten-${randomUUID()}-${n}`);
      const order = { ...{ account: 'main', venue: 'nowhere', symbol: 'X/USDT' }, side: 'buy' as const };
      const requests = ids.map((permit_id) => ({
        ...{ permit_id, ...order, quantity: '1', price: '0.01', currency: 'USDT', execution_id: 'forgotten' },
      }));
      await answered(() => this.client.requestPermits({ requests, settlements: [] }, this.desk));
      const settlements = ids.map((permit_id) => ({ permit_id, outcome: 'unused' as const }));
      await answered(() => this.client.requestPermits({ requests: [], settlements }, this.desk));
    }
  }

  /** Under the id of one that has ended, as if Temporal had forgotten that: the retention of a namespace is a day at least. */
  async startAgain(id: string, nodes: Readonly<Record<string, unknown>>): Promise<void> {
    const document = { holdfast: 1, id: 'trading', desk: this.desk, nodes };
    const { prepared } = prepareGraph({ document }, KINDS, { mode: 'paper', sha256 });
    await this.temporal.workflow.start('runGraph', {
      ...{ workflowId: id, taskQueue: this.#parts.environment['HOLDFAST_TASK_QUEUE'] ?? '', args: [prepared] },
      ...{ workflowIdReusePolicy: 'ALLOW_DUPLICATE', typedSearchAttributes: startAttributes(prepared) },
    });
  }

  async run(nodes: Readonly<Record<string, unknown>>, id?: string): Promise<ExecutionStatus> {
    return this.ended(await this.start(nodes, id));
  }

  /** Its status once it is closed. */
  async ended(id: string): Promise<ExecutionStatus> {
    await until(
      `${id} is closed`,
      async () => (await answered(() => this.client.describeExecution(id))).closing,
      WITHIN_MS,
    );
    return this.status(id);
  }

  async status(id: string): Promise<ExecutionStatus> {
    return answered(() => this.client.executionStatus(id));
  }

  async reaches(id: string, condition: (status: ExecutionStatus) => boolean): Promise<ExecutionStatus> {
    return until(
      `${id} reaches the state`,
      async () => {
        const status = await this.status(id);
        return condition(status) && status;
      },
      WITHIN_MS,
    );
  }

  /** Orders that came since the last call of `forget`. */
  async orders(profile: Profile = 'paper_binance'): Promise<readonly BookedOrder[]> {
    const { orders } = await this.#books(profile);
    return orders.slice(this.#seen.get(profile) ?? 0);
  }

  async faults(settings: FaultSettings, profile: Profile = 'paper_binance'): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(settings) };
    const answer = await fetch(`${this.#parts.venue.url}/${profile}/admin/faults`, request);
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** The venue does nothing wrong any more. */
  async forgive(profile: Profile = 'paper_binance'): Promise<void> {
    await this.faults(HEALTHY, profile);
  }

  async limits(limits: Readonly<Record<string, string | null>>): Promise<void> {
    await this.command({ action: 'set_limits', scope: 'global', limits });
  }

  /** As a new command, unless it says which. Throws what the desk refuses it with. */
  async command(command: Readonly<Record<string, unknown>>): Promise<CommandAnswer> {
    const given = { command_id: `cmd_${randomUUID()}`, ...BY, ...command };
    const answer = await answered(() => this.client.commandDesk(given, this.desk));
    if (!answer.ok) throw new Error(`${answer.error?.code ?? ''}: ${answer.error?.message ?? ''}`);
    return answer;
  }

  /** What is in the books by now is no business of the next test; the venue does nothing wrong any more. */
  async forget(): Promise<void> {
    for (const profile of ['paper_binance', 'paper_bybit'] as const) {
      await this.forgive(profile);
      this.#seen.set(profile, (await this.#books(profile)).orders.length);
    }
  }

  async price(profile: Profile = 'paper_binance'): Promise<string> {
    const symbol = profile === 'paper_binance' ? 'BTCBUSD' : 'BTCUSDT';
    const answer = await fetch(`${this.#parts.venue.url}/${profile}/api/v3/ticker/price?symbol=${symbol}`);
    return ((await answer.json()) as { price: string }).price;
  }

  async deskStatus(): Promise<DeskStatus> {
    return answered(() => this.client.deskStatus(this.desk));
  }

  async halt(): Promise<void> {
    await this.command({ action: 'halt', scope: 'global' });
  }

  async resume(): Promise<void> {
    await answered(() => this.client.resumeDesk(BY, this.desk));
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((id) => this.client.cancelExecution(id).catch(() => undefined)));
    await this.killWorker();
    await this.client.close();
    await this.temporal.connection.close();
    await this.#parts.venue.close();
  }

  async #books(profile: Profile): Promise<Books> {
    const answer = await fetch(`${this.#parts.venue.url}/${profile}/admin/books`);
    return (await answer.json()) as Books;
  }
}

async function recordedMarkets(): Promise<PaperVenue> {
  return startPaperVenue({ profiles: await recordedProfiles(DATA, SPEED) });
}

export function newExecution(): string {
  return `exec_trading_${randomUUID().slice(0, 8)}`;
}

/** What the venue knows the first order of a node by. */
export function clientIdOf(execution: string, node: string, leg = 'order'): string {
  const name = JSON.stringify([`${execution}/${node}/0`, leg]);
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

const HEALTHY: FaultSettings = {
  ...{ drop_before: null, drop_after: null, delay_before_ms: null, delay_after_ms: null },
  ...{ error_5xx_before: null, error_5xx_after: null, rate_limited: null, refuse_cancel: null },
  ...{ late_fill: null, hidden_for_ms: null, dead_feed: null, stale_book: false, clock_skew_ms: 0 },
};
