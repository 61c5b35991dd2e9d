/** Positions that are to be closed, and what became of them: in lines for people. */
import { FLAT, obstacleTo, type ClosingTarget, type FlattenReport, type FlattenResult } from '../emergency/flatten';
import type { DeskStatus } from '../emergency/status';
import { HoldfastError } from '../errors';
import { decimal, formatDecimal } from '../money';
import type { NamedFlatten } from '../temporal-client/flattens';
import { timeOf } from './desk-words';
import type { Tone, Ui } from './io';
import { table } from './table';

/** Lines for people; `--json` has them all. */
const MOST_SHOWN = 50;
const TONES: Readonly<Record<FlattenResult['status'], Tone>> = {
  pending: 'busy',
  closed: 'good',
  partly_closed: 'bad',
  nothing: 'quiet',
  refused: 'bad',
  not_filled: 'bad',
  unreachable: 'bad',
};

/** What would be closed, and what is known to be in its way. */
export interface Preview {
  readonly target: ClosingTarget;
  readonly worth: string;
  readonly obstacle?: string;
}

export function previewOf(targets: readonly ClosingTarget[], status: DeskStatus): readonly Preview[] {
  return targets.map((target) => {
    const worth = formatDecimal(decimal(target.quantity).times(decimal(target.price)), 2);
    const obstacle = obstacleTo(target, status);
    return obstacle === undefined ? { target, worth } : { target, worth, obstacle };
  });
}

export function previewLines(previews: readonly Preview[], currency: string): string[] {
  const rows = previews.slice(0, MOST_SHOWN).map(({ target, worth, obstacle = '' }) => {
    const { symbol, side, quantity, price } = target;
    return [placeOf(target), symbol, holderOf(target), side, quantity, price, `${worth} ${currency}`, obstacle];
  });
  const more = previews.length - rows.length;
  return [
    ...table(['ACCOUNT', 'SYMBOL', 'OF', 'SIDE', 'QUANTITY', 'MARK', 'WORTH', ''], rows),
    ...(more === 0 ? [] : [`and ${more} more; --json shows them`]),
  ];
}

export function flattenLines({ results, is_done }: FlattenReport, ui: Ui): string[] {
  const state = is_done ? '' : '; goes on until the venues have said it all';
  return [`flatten: ${countWords(results)}${state}`, ...resultTable(results, ui)];
}

/** As `status` shows them: with what is not closed, and the counts of the rest. */
export function namedFlattenLines({ name, started_at, report }: NamedFlatten, ui: Ui): string[] {
  const since = `since ${timeOf(started_at)}`;
  if (report === undefined) return [`flatten ${name} ${since}: no worker answers for it`];
  const head = `to be closed: ${report.scope} ${since} by ${report.actor}: ${report.reason}`;
  const [summary = ''] = flattenLines(report, ui);
  const open = report.results.filter(({ status }) => !FLAT.has(status));
  return [head, summary, ...resultTable(open, ui)];
}

/** Throws `FlattenIncomplete` when something is held that was to be closed. */
export function assertFlat(report: FlattenReport | undefined): void {
  if (report === undefined) throw new HoldfastError('FlattenIncomplete', 'It goes on, but nobody answers for it yet.');
  const open = report.results.filter(({ status }) => !FLAT.has(status));
  if (report.is_done && open.length === 0) return;
  const what = `${open.length} positions are not closed`;
  throw new HoldfastError(
    'FlattenIncomplete',
    report.is_done ? `It has ended, but ${what}.` : `It goes on, but ${what} yet.`,
  );
}

function countWords(results: readonly FlattenResult[]): string {
  const counts = Object.keys(TONES).map((wanted) => [results.filter(({ status }) => status === wanted).length, wanted]);
  const said = counts.filter(([count]) => count !== 0).map(([count, status]) => `${count} ${status}`);
  return said.length === 0 ? 'nothing is held' : said.join(', ');
}

function resultTable(results: readonly FlattenResult[], ui: Ui): string[] {
  if (results.length === 0) return [];
  const rows = results.slice(0, MOST_SHOWN).map((result) => {
    const { symbol, side, quantity, status, filled_quantity, average_price = '-', rest, code, why = '' } = result;
    const said = { text: status, paint: (text: string) => ui.paint(TONES[status], text) };
    const reason = code === undefined ? why : `${code}: ${why}`;
    return [
      placeOf(result),
      symbol,
      holderOf(result),
      side,
      quantity,
      said,
      filled_quantity,
      average_price,
      rest,
      reason,
    ];
  });
  const more = results.length - rows.length;
  return [
    ...table(['ACCOUNT', 'SYMBOL', 'OF', 'SIDE', 'HELD', 'RESULT', 'FILLED', 'AT', 'REST', ''], rows),
    ...(more === 0 ? [] : [`and ${more} more; --json shows them`]),
  ];
}

function placeOf({ venue, account }: Pick<ClosingTarget, 'venue' | 'account'>): string {
  return `${venue} ${account}`;
}

function holderOf({ bot_id, strategy_id }: Pick<ClosingTarget, 'bot_id' | 'strategy_id'>): string {
  const holders = [bot_id, strategy_id].filter((each) => each !== undefined);
  return holders.length === 0 ? '-' : holders.join(', ');
}
