/**
 * Compares what the venues show of their accounts with what the desks know, at the start and every minute. It tells, and cancels nothing:
 * an order that is foreign here may be somebody's own.
 *
 * - R1. The venue is asked before the desks: what it shows was permitted before, or by nobody.
 * - R2. A difference counts when two looks in a row found it: orders end and fills arrive between two questions.
 * - R3. It is told once per change. Several workers tell the same under the same command id, which the desk takes once.
 */
import { createHash } from 'node:crypto';
import type { MetricMeter } from '@temporalio/common';
import { confirmed, differenceWords, foreignOrders, missingBalances, type Difference } from '../emergency/reconcile';
import type { OpenOrders, OpenOrdersQuestion } from '../emergency/open-orders';
import type { RaiseCommand } from '../emergency/model';
import type { Logger } from '../logging';
import { messageOf } from '../errors';
import type { TradingVenue } from '../venues/venue';

export interface ReconcilerOptions {
  readonly accounts: readonly ReconciledAccount[];
  readonly desks: {
    /** All that run and permit orders. */
    listDesks(): Promise<readonly string[]>;
    openOrders(question: OpenOrdersQuestion, deskId: string): Promise<OpenOrders>;
  };
  /** To the desk that is told. */
  readonly alert: (command: RaiseCommand) => Promise<unknown>;
  readonly log: Pick<Logger, 'warn'>;
  readonly meter?: Pick<MetricMeter, 'createGauge'>;
}

export interface ReconciledAccount {
  readonly venue: string;
  readonly trading: Pick<TradingVenue, 'account' | 'openOrders' | 'balances'>;
}

interface Seen {
  readonly account: ReconciledAccount;
  last: readonly Difference[];
  /** What was told last, in words. */
  told: string;
}

const LOOK_EVERY_MS = 60_000;
/** After a look that found something new. */
const AGAIN_AFTER_MS = 5_000;
const ACTOR = 'reconciliation';
const LONGEST_REASON = 450;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #seen: readonly Seen[];
  readonly #gauge: ReturnType<MetricMeter['createGauge']> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#seen = options.accounts.map((account) => ({ account, last: [], told: '' }));
    const description = 'Orders and balances of a venue account that contradict the desks.';
    this.#gauge = options.meter?.createGauge('holdfast_account_differences', 'int', undefined, description);
  }

  /** Looks until it is closed. */
  start(): void {
    if (this.#seen.length > 0) void this.#turn();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Resolves with whether there is something to look at again soon. Never rejects. */
  async look(): Promise<boolean> {
    const looks = await Promise.all(this.#seen.map((seen) => this.#lookAt(seen)));
    return looks.some((isNew) => isNew);
  }

  async #turn(): Promise<void> {
    const isNew = await this.look();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#turn(), isNew ? AGAIN_AFTER_MS : LOOK_EVERY_MS);
    this.#timer.unref();
  }

  async #lookAt(seen: Seen): Promise<boolean> {
    const { venue, trading } = seen.account;
    try {
      const now = await this.#differences(seen.account);
      const both = confirmed(now, seen.last);
      seen.last = now;
      this.#gauge?.set(both.length, { venue, account: trading.account });
      await this.#tell(seen, both);
      return both.length < now.length;
    } catch (error) {
      this.#options.log.warn({ venue, account: trading.account, error: messageOf(error) }, 'account_not_reconciled');
      return false;
    }
  }

  async #differences({ venue, trading }: ReconciledAccount): Promise<readonly Difference[]> {
    const { account } = trading;
    const [listed, balances] = await Promise.all([trading.openOrders(), trading.balances()]);
    const { desks } = this.#options;
    const ids = await desks.listDesks();
    const known = await Promise.all(ids.map((id) => desks.openOrders({ venue, account, offset: 0, all: true }, id)));
    const permits = known.flatMap(({ unsettled, resting }) => [...unsettled, ...resting]);
    const positions = known.flatMap(({ positions: each = [] }) => each);
    return [
      ...foreignOrders(listed, new Set(permits.map(({ client_order_id }) => client_order_id))),
      ...missingBalances(balances, positions),
    ];
  }

  async #tell(seen: Seen, differences: readonly Difference[]): Promise<void> {
    const { venue, trading } = seen.account;
    const words = differenceWords(differences);
    if (words === seen.told) return;
    const { account } = trading;
    this.#options.log.warn({ venue, account, differences }, 'account_differs');
    if (words !== '') await this.#options.alert(alertOf(venue, `account ${account}: ${words}`));
    seen.told = words;
  }
}

function alertOf(venue: string, text: string): RaiseCommand {
  const reason = text.slice(0, LONGEST_REASON);
  const command_id = `reconciled-${createHash('sha256').update(`${venue} ${text}`).digest('hex').slice(0, 32)}`;
  return { action: 'alert', scope: `venue:${venue}`, command_id, actor: ACTOR, reason };
}
