/**
 * Orders at a paper venue that does everything wrong now and then, by a worker that is killed at random moments. At the end the venue's own
 * books, the desk and the journal are compared order by order.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../../src/config/config';
import { openJournal, type OrderRow } from '../../src/journal/journal';
import { decimal, formatDecimal, type Decimal } from '../../src/money';
import type { FaultSettings } from '../../src/paper-venue/faults';
import { seededRandom } from './crash-campaign';
import { TradingWorld, type BookedOrder } from './trading-world';
import { answered, until } from './until';

export interface OrderCampaignOptions {
  /** So many the venue takes, at least. */
  readonly orders: number;
  /** That order at the same time. */
  readonly executions: number;
  readonly kills: number;
  /** Of each fault, by request. */
  readonly probability: number;
  readonly seed: number;
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
const LONGEST_LIFE_MS = 6_000;
const SETTLED_WITHIN_MS = 60_000;
const ENDED_WITHIN_MS = 1_200_000;
/** Of each execution in a round: some orders are refused, so how many rounds it takes is seen. */
const PER_ROUND = 10;
const ENDED: ReadonlySet<string> = new Set(['filled', 'cancelled', 'rejected', 'unused']);
/** What a breaker would do is another test's: here every request is to be made. */
const TOLERANT = JSON.stringify({ default: { failures: 1_000 } });

export async function orderCampaign(options: OrderCampaignOptions): Promise<OrderCampaignReport> {
  const world = await TradingWorld.open({ HOLDFAST_CIRCUIT_BREAKERS: TOLERANT });
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
  #kills = 0;

  constructor(options: OrderCampaignOptions, world: TradingWorld) {
    this.#options = options;
    this.#world = world;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<OrderCampaignReport> {
    const { orders, executions, say } = this.#options;
    await this.#world.limits({ daily_loss: '1000000', max_position_notional: '10000000', max_drawdown_percent: null });
    await this.#world.faults(this.#faults());
    const ids: string[] = [];
    let isOver = false;
    const killing = this.#killing(() => isOver);
    try {
      while ((await this.#world.orders()).length < orders) ids.push(...(await this.#round(executions)));
    } finally {
      isOver = true;
      await killing;
    }
    await this.#world.forgive();
    const settled_after_ms = await this.#settled();
    const outcomes = await this.#outcomes(ids);
    say(`all executions ended; no permit is open ${settled_after_ms} ms after the last fault`);
    const booked = await this.#world.orders();
    const wrong = await this.#compare(booked, settled_after_ms);
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
      rate_limited: { probability, on: [...on] },
      refuse_cancel: { probability },
      late_fill: { probability, ms: 1_000 },
      hidden_for_ms: { probability, ms: 2_500 },
      dead_feed: { probability: probability / 5 },
    };
  }

  async #killing(isOver: () => boolean): Promise<void> {
    while (!isOver() && this.#kills < this.#options.kills) {
      await pause(1_000 + this.#random() * LONGEST_LIFE_MS);
      if (isOver()) return;
      await this.#world.killWorker();
      this.#kills += 1;
      await this.#world.startWorker();
    }
  }

  /** Executions that order for a while, all ended. */
  async #round(executions: number): Promise<readonly string[]> {
    const ids = await Promise.all(Array.from({ length: executions }, () => this.#world.start(trading(PER_ROUND))));
    const open = new Set(ids);
    await until(
      'all executions have ended',
      async () => {
        for (const id of open) {
          if ((await answered(() => this.#world.client.describeExecution(id))).closing !== undefined) open.delete(id);
        }
        if (open.size > 0) await pause(500);
        return open.size === 0;
      },
      ENDED_WITHIN_MS,
    );
    this.#options.say(`  ${(await this.#world.orders()).length} orders, ${this.#kills} kills`);
    return ids;
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
    for (const id of ids) {
      for (const node of Object.values((await this.#world.status(id)).nodes)) {
        if (node.type !== 'market_order' && node.type !== 'limit_order') continue;
        const how = (node.state === 'failed' ? node.error_type : node.branch) ?? node.state;
        counts[how] = (counts[how] ?? 0) + 1;
      }
    }
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

/** Buys at the market and sells again, and now and then at a price that may rest for a moment. */
function trading(times: number) {
  const size = { ...PLACE, quantity: QUANTITY };
  const spare = { on_error: 'continue' };
  const buy = { type: 'market_order', params: { ...size, side: 'buy' }, ...spare };
  const price = { type: 'ticker', params: PLACE, after: ['buy.finished'], ...spare };
  const sell = {
    type: 'limit_order',
    params: { ...size, side: 'sell', good_for: '1s' },
    inputs: { price: 'price.last' },
    ...spare,
  };
  const body = { nodes: { buy, price, sell } };
  return { again: { type: 'repeat', params: { max_iterations: times }, while: 'true', body } };
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
