/**
 * Orders at a paper venue that does everything wrong now and then, by a worker that is killed at random moments. At the end the venue's own
 * books, the desk and the journal are compared order by order.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../../src/config/config';
import { HoldfastError } from '../../src/errors';
import { openJournal, type OrderRow } from '../../src/journal/journal';
import { decimal, formatDecimal, type Decimal } from '../../src/money';
import type { FaultSettings } from '../../src/paper-venue/faults';
import type { OrderSide } from '../../src/venues/venue';
import { seededRandom } from './crash-campaign';
import { newExecution, TradingWorld, type BookedOrder } from './trading-world';
import { answered, until } from './until';

export interface OrderCampaignOptions {
  /** So many the venue takes, at least. */
  readonly orders: number;
  /** That order at the same time. */
  readonly executions: number;
  /** In each of them, side by side. */
  readonly lanes: number;
  readonly kills: number;
  /** Of each fault, by request. */
  readonly probability: number;
  readonly seed: number;
  /** After so many nothing more is begun, and what was done is judged; default: no limit. */
  readonly minutes?: number;
  readonly say: (line: string) => void;
}

export interface OrderCampaignReport {
  /** In the venue's books. */
  readonly orders: number;
  readonly kills: number;
  /** Nodes by how they ended. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Milliseconds from the end of the faults until no permit was open. */
  readonly settled_after_ms: number;
  /** In words, what must not be. */
  readonly wrong: readonly string[];
}

const PLACE = { venue: 'paper_binance', symbol: 'BTC/BUSD' } as const;
const QUANTITY = '0.001';
/** How often the venue's books are counted. */
const LOOK_EVERY_MS = 2_000;
const SAY_EVERY_MS = 15_000;
const SETTLED_WITHIN_MS = 60_000;
/** From the last one that was begun. */
const ENDED_WITHIN_MS = 600_000;
/** Times a lane buys and sells. */
const MOST_TIMES = 10;
/** Closed executions asked at once for how their nodes ended. */
const ASKED_AT_ONCE = 8;
const ENDED: ReadonlySet<string> = new Set(['filled', 'cancelled', 'rejected', 'unused']);
const ENVIRONMENT = {
  /** What a breaker would do is another test's: here every request is to be made. */
  HOLDFAST_CIRCUIT_BREAKERS: JSON.stringify({ default: { failures: 1_000 } }),
  /** The paper venue takes any number of reads. With what Binance allows an address they were good for five orders a second. */
  HOLDFAST_VENUES: JSON.stringify({ [PLACE.venue]: { adapter: 'binance', read_weight_per_minute: 1_000_000 } }),
};

export async function orderCampaign(options: OrderCampaignOptions): Promise<OrderCampaignReport> {
  const world = await TradingWorld.open(ENVIRONMENT);
  try {
    return await new Campaign(options, world).run();
  } finally {
    await world.close();
  }
}

class Campaign {
  readonly #options: OrderCampaignOptions;
  readonly #world: TradingWorld;
  readonly #random: () => number;
  readonly #began = performance.now();
  #said = 0;
  #orders = 0;
  #begun = 0;
  #kills = 0;
  #isOver = false;

  constructor(options: OrderCampaignOptions, world: TradingWorld) {
    this.#options = options;
    this.#world = world;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<OrderCampaignReport> {
    await this.#world.limits({ daily_loss: '1000000', max_position_notional: '10000000', max_drawdown_percent: null });
    await this.#world.faults(this.#faults());
    const { ids, open } = await this.#ordering();
    await this.#world.forgive();
    const settled_after_ms = await this.#settled();
    this.#options.say(`  no permit is open ${settled_after_ms} ms after the last fault`);
    const outcomes = await this.#outcomes(ids);
    const booked = await this.#world.orders();
    const unended = open.map((id) => `${id} has not ended ${ENDED_WITHIN_MS / 1_000} s after the last one began`);
    const wrong = [...unended, ...(await this.#compare(booked, settled_after_ms))];
    return { orders: booked.length, kills: this.#kills, outcomes, settled_after_ms, wrong };
  }

  #faults(): FaultSettings {
    const { probability } = this.#options;
    const on = ['submit', 'cancel', 'query'] as const;
    return {
      drop_before: { probability, on: [...on] },
      drop_after: { probability },
      delay_before_ms: { probability, ms: 1_500 },
      delay_after_ms: { probability, ms: 6_000 },
      error_5xx_before: { probability, on: [...on] },
      error_5xx_after: { probability },
      // After one of these nothing is read for a second, by nobody: with the others' share nothing would be read at all.
      rate_limited: { probability: probability / 10, on: [...on] },
      refuse_cancel: { probability },
      late_fill: { probability, ms: 1_000 },
      hidden_for_ms: { probability, ms: 2_500 },
      dead_feed: { probability: probability / 5 },
    };
  }

  /** So many at a time, until the venue has its orders and all kills are done. `open`: what would not end. */
  async #ordering(): Promise<{ readonly ids: readonly string[]; readonly open: readonly string[] }> {
    const ids: string[] = [];
    const open = new Set<string>();
    const killing = this.#killing();
    killing.catch(() => {
      this.#isOver = true;
    });
    let begun = performance.now();
    try {
      do {
        this.#orders = (await this.#world.orders()).length;
        while (this.#goesOn && open.size < this.#options.executions) {
          const id = await this.#begin();
          ids.push(id);
          open.add(id);
          begun = performance.now();
        }
        this.#tell(open.size);
        await pause(LOOK_EVERY_MS);
        await this.#forgetEnded(open);
      } while ((this.#goesOn || open.size > 0) && performance.now() - begun < ENDED_WITHIN_MS);
    } finally {
      this.#isOver = true;
      await killing;
    }
    return { ids, open: [...open] };
  }

  /** By its id, so that one whose answer was lost is not begun twice. */
  async #begin(): Promise<string> {
    const id = newExecution();
    const { lanes, executions, orders } = this.#options;
    const times = Math.min(MOST_TIMES, Math.ceil(orders / executions / lanes / 2));
    this.#begun += 1;
    const isUp = this.#begun % 2 === 1;
    const graph = trading(lanes, times, isUp ? ['buy', 'sell'] : ['sell', 'buy']);
    // What one of the two holds the other does not reduce.
    const owner = { strategy_id: isUp ? 'up' : 'down' };
    await answered(() => this.#world.start(graph, id, owner)).catch((error: unknown) => {
      if (!(error instanceof HoldfastError) || error.code !== 'ExecutionExists') throw error;
    });
    return id;
  }

  /** Of the time there is. */
  get #timeShare(): number {
    const { minutes = Infinity } = this.#options;
    return (performance.now() - this.#began) / (minutes * 60_000);
  }

  get #goesOn(): boolean {
    const { orders, kills } = this.#options;
    return !this.#isOver && this.#timeShare < 1 && (this.#orders < orders || this.#kills < kills);
  }

  /** One kill in each part of the orders, or of the time where that is shorter, at a moment drawn from the seed. */
  async #killing(): Promise<void> {
    const { kills, orders } = this.#options;
    const share = () => Math.max(this.#orders / orders, this.#timeShare);
    while (this.#kills < kills) {
      const due = (this.#kills + this.#random()) / kills;
      while (share() < due && this.#goesOn) await pause(100);
      // The books are counted now and then, and it is not to fall on those moments.
      await pause(this.#random() * LOOK_EVERY_MS);
      if (!this.#goesOn) return;
      await this.#world.replaceWorker();
      this.#kills += 1;
    }
  }

  #tell(open: number): void {
    const elapsed = performance.now() - this.#began;
    if (elapsed < this.#said + SAY_EVERY_MS) return;
    this.#said = elapsed;
    const rate = ((this.#orders * 1_000) / elapsed).toFixed(1);
    const seconds = (elapsed / 1_000).toFixed(0);
    this.#options.say(
      `  ${seconds} s: ${this.#orders} orders (${rate}/s), ${this.#kills} kills, ${open} executions open`,
    );
  }

  async #forgetEnded(open: Set<string>): Promise<void> {
    const looked = [...open].map(async (id) => {
      const { closing } = await answered(() => this.#world.client.describeExecution(id));
      if (closing !== undefined) open.delete(id);
    });
    await Promise.all(looked);
  }

  async #settled(): Promise<number> {
    const began = performance.now();
    await until(
      'no permit is open',
      async () => (await this.#world.deskStatus()).open_permits.count === 0,
      SETTLED_WITHIN_MS,
    ).catch(() => undefined);
    return Math.round(performance.now() - began);
  }

  async #outcomes(ids: readonly string[]): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    const queue = ids.values();
    const asking = async () => {
      for (const id of queue) {
        for (const node of Object.values((await this.#world.status(id)).nodes)) {
          if (node.type !== 'market_order' && node.type !== 'limit_order') continue;
          const how = (node.state === 'failed' ? node.error_type : node.branch) ?? node.state;
          counts[how] = (counts[how] ?? 0) + 1;
        }
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, asking));
    return counts;
  }

  async #compare(booked: readonly BookedOrder[], settled_after_ms: number): Promise<string[]> {
    const { desk } = this.#world;
    const { open_permits } = await this.#world.deskStatus();
    const rows = await this.#journal(desk, booked);
    return [
      ...(settled_after_ms >= SETTLED_WITHIN_MS
        ? [`${open_permits.count} permits are open a minute after the last fault`]
        : []),
      ...duplicates(booked),
      ...booked.flatMap((order) => differences(order, rows.get(order.client_order_id))),
      ...(await this.#positions(booked)),
    ];
  }

  /** The journal is told a moment after the desk. */
  async #journal(desk_id: string, booked: readonly BookedOrder[]): Promise<ReadonlyMap<string, OrderRow>> {
    const journal = openJournal(loadConfig().journal.url);
    try {
      let rows = new Map<string, OrderRow>();
      await until('the journal knows all', async () => {
        rows = await allRows(journal, desk_id);
        return booked.every((order) => differences(order, rows.get(order.client_order_id)).length === 0);
      }).catch(() => undefined);
      return rows;
    } finally {
      await journal.close();
    }
  }

  async #positions(booked: readonly BookedOrder[]): Promise<string[]> {
    const { positions } = await answered(() => this.#world.client.deskFigures(this.#world.desk));
    const known = positions.find(({ symbol }) => symbol === PLACE.symbol)?.quantity ?? '0';
    const net = booked.reduce((sum, { side, executed }) => signed(sum, side, executed), decimal('0'));
    if (decimal(known).eq(net)) return [];
    return [`the desk knows a position of ${known}, the venue filled ${formatDecimal(net)}`];
  }
}

/**
 * Lanes that each order at the market and back again, at a price that may rest for a moment. Every other execution begins with a sell: what
 * only reduces is denied while anything is unknown, which among so many is nearly always, so buys alone would use the account up.
 */
function trading(lanes: number, times: number, [first, second]: readonly [OrderSide, OrderSide]) {
  const size = { ...PLACE, quantity: QUANTITY };
  const spare = { on_error: 'continue' };
  const open = { type: 'market_order', params: { ...size, side: first }, ...spare };
  const price = { type: 'ticker', params: PLACE, after: ['open.finished'], ...spare };
  const close = {
    type: 'limit_order',
    params: { ...size, side: second, good_for: '1s' },
    inputs: { price: 'price.last' },
    ...spare,
  };
  // Or lanes that are refused would take all there is from those that are not.
  const breath = { type: 'wait', params: { for: '1s' }, after: ['open.error', 'close.error'], join: 'any' };
  const body = { nodes: { open, breath, price, close } };
  const lane = { type: 'repeat', params: { max_iterations: times }, while: 'true', body };
  return Object.fromEntries(Array.from({ length: lanes }, (_, at) => [`again_${at + 1}`, lane]));
}

function duplicates(booked: readonly BookedOrder[]): string[] {
  const ids = new Set<string>();
  return booked.flatMap(({ client_order_id: id }) => {
    if (ids.has(id)) return [`the venue has two orders ${id}`];
    ids.add(id);
    return [];
  });
}

function differences(order: BookedOrder, row: OrderRow | undefined): string[] {
  const { client_order_id: id, executed, status } = order;
  if (row === undefined) return [`the journal does not know order ${id}`];
  const wrong: string[] = [];
  if (!decimal(row.filled_quantity).eq(decimal(plain(executed))))
    wrong.push(`order ${id}: ${row.filled_quantity} filled in the journal, ${executed} at the venue`);
  if (!ENDED.has(row.status)) wrong.push(`order ${id}: ${row.status} in the journal, ${status} at the venue`);
  return wrong;
}

/** All of its orders, by client order id. */
async function allRows(journal: ReturnType<typeof openJournal>, desk_id: string): Promise<Map<string, OrderRow>> {
  const rows = new Map<string, OrderRow>();
  let page: string | undefined;
  do {
    const read = await journal.orders({ desk_id, limit: 1_000, ...(page === undefined ? {} : { page }) });
    for (const row of read.orders) rows.set(row.client_order_id ?? row.order_id, row);
    page = read.next_page;
  } while (page !== undefined);
  return rows;
}

function signed(sum: Decimal, side: BookedOrder['side'], executed: string): Decimal {
  const quantity = decimal(plain(executed));
  return side === 'BUY' ? sum.plus(quantity) : sum.minus(quantity);
}

/** Without the zeros at the end. */
function plain(text: string): string {
  return formatDecimal(decimal(text));
}
