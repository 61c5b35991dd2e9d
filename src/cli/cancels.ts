/** What became of orders that were to be cancelled: waited for, and in lines for people. */
import type { AccountCancels, CancelReport, CancelResult } from '../emergency/cancels';
import { HoldfastError } from '../errors';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { NamedCancels } from '../temporal-client/cancels';
import { CONFIRM_MS, ifAnswered } from './confirm';
import { timeOf } from './desk-words';
import type { Tone, Ui } from './io';
import { table } from './table';
import { until } from './until';

export interface CancelWatch {
  readonly desk: string;
  /** The epoch of the halt, or the name the command got. */
  readonly name: string | number;
}

/** One question each is enough. */
const LOOK_EVERY_MS = 200;
/** How long `status` shows what is over. */
const SHOWN_FOR_MS = 3_600_000;
/** Lines for people; `--json` has them all. */
const MOST_SHOWN = 50;
const TONES: Readonly<Record<CancelResult['status'], Tone>> = {
  cancelled: 'good',
  filled: 'busy',
  not_found: 'quiet',
  spared: 'strong',
  pending: 'bad',
};

/** The report when all is said, or as it stood after ten seconds; undefined when nobody answered. */
export async function cancelsOf(
  client: HoldfastClient,
  { desk, name }: CancelWatch,
): Promise<CancelReport | undefined> {
  let last: CancelReport | undefined;
  await until(
    CONFIRM_MS,
    () =>
      ifAnswered(async () => {
        last = (await client.cancelReport(name, desk)) ?? last;
        return last?.is_done === true ? last : undefined;
      }),
    LOOK_EVERY_MS,
  );
  return last;
}

/** Throws `CancelsUnconfirmed` when something may still rest that was to go. */
export function assertCancelled(report: CancelReport | undefined): void {
  if (report === undefined) throw unconfirmed('nobody answers for the cancels yet');
  const open = report.accounts.flatMap(({ orders }) => orders).filter(({ status }) => status === 'pending').length;
  const unlisted = report.accounts.filter(({ is_listed }) => !is_listed).length;
  const reasons = [
    ...(open === 0 ? [] : [`${open} orders are not known to be cancelled`]),
    ...(unlisted === 0 ? [] : [`${unlisted} accounts have not shown their orders`]),
    ...(report.unreachable.length === 0 ? [] : [`${report.unreachable.length} accounts with orders cannot be reached`]),
    ...(report.is_done || open + unlisted > 0 || report.accounts.length > 0 ? [] : ['no account was looked at yet']),
  ];
  if (reasons.length > 0) throw unconfirmed(reasons.join(', '));
}

function unconfirmed(what: string): HoldfastError {
  return new HoldfastError('CancelsUnconfirmed', `It goes on, but ${what}.`);
}

export function cancelLines(report: CancelReport | undefined, ui: Ui): string[] {
  if (report === undefined) return ['cancels: nobody answers for them yet; `holdfast status` shows them'];
  return [...summaryLines(report), ...orderTable(report.accounts, ui)];
}

function summaryLines({ accounts, unreachable, is_done }: CancelReport): string[] {
  const orders = accounts.flatMap((account) => account.orders);
  const state = is_done ? 'all said by the venues' : 'goes on until the venues have said it all';
  return [
    `cancels: ${countWords(orders)}; ${state}`,
    ...accounts
      .filter(({ is_listed }) => !is_listed)
      .map((each) => `  ${nameOf(each)}: has not shown its orders yet${each.why === undefined ? '' : `: ${each.why}`}`),
    ...unreachable.map((each) => `  ${nameOf(each)}: has orders, and no worker can trade there`),
  ];
}

/** What a command set going that `status` shows: cancels, flattens. */
interface Undertaking {
  readonly name: string;
  readonly started_at: number;
  readonly report?: { readonly is_done: boolean };
}

/** What is not done yet, and what somebody may still want to see the end of. */
export function isNews({ started_at, report }: Undertaking, now: number): boolean {
  return report?.is_done !== true || now - started_at < SHOWN_FOR_MS;
}

/** As `status` shows them: with what is not over, and the counts of the rest. */
export function namedCancelLines({ name, started_at, report }: NamedCancels, ui: Ui): string[] {
  const since = `since ${timeOf(started_at)}`;
  if (report === undefined) return [`cancels ${name} ${since}: no worker answers for them`];
  const head = `to be cancelled: ${report.scope} ${since} by ${report.actor}: ${report.reason}`;
  const open = report.accounts.map((account) => ({
    ...account,
    orders: account.orders.filter(({ status }) => status === 'pending'),
  }));
  return [head, ...summaryLines(report), ...orderTable(open, ui)];
}

export function countWords(orders: readonly CancelResult[]): string {
  const counts = Object.keys(TONES).map((wanted) => [orders.filter(({ status }) => status === wanted).length, wanted]);
  const said = counts.filter(([count]) => count !== 0).map(([count, status]) => `${count} ${status}`);
  return said.length === 0 ? 'nothing rested' : said.join(', ');
}

function orderTable(accounts: readonly AccountCancels[], ui: Ui): string[] {
  const all = accounts.flatMap((account) => account.orders.map((order) => ({ account, order })));
  if (all.length === 0) return [];
  const rows = all.slice(0, MOST_SHOWN).map(({ account, order }) => orderRow(nameOf(account), order, ui));
  const more = all.length - rows.length;
  return [
    ...table(['ACCOUNT', 'ORDER', 'SYMBOL', 'SIDE', 'RESULT', 'FILLED', ''], rows),
    ...(more === 0 ? [] : [`and ${more} more; --json shows them`]),
  ];
}

export function orderRow(account: string, order: CancelResult, ui: Ui) {
  const { client_order_id, symbol, side, status, filled_quantity = '-', why = '' } = order;
  const result = { text: status, paint: (text: string) => ui.paint(TONES[status], text) };
  return [account, client_order_id, symbol, side, result, filled_quantity, why];
}

function nameOf({ venue, account }: { readonly venue: string; readonly account: string }): string {
  return `${venue} ${account}`;
}
