/** What the command line makes of orders that were to be cancelled. */
import { describe, expect, it } from '@jest/globals';
import type { AccountCancels, CancelReport, CancelResult } from '../../src/emergency/cancels';
import { assertCancelled, cancelLines, countWords, isNews } from '../../src/cli/cancels';
import type { Ui } from '../../src/cli/io';
import { holdfast } from '../support/command-line';

const ui = { paint: (_tone: string, text: string) => text } as Ui;
const order = (client_order_id: string, status: CancelResult['status'], why?: string): CancelResult => ({
  ...{ client_order_id, symbol: 'BTC/USDT', side: 'buy', status },
  ...(why === undefined ? {} : { why }),
});
const account = (orders: readonly CancelResult[], over: Partial<AccountCancels> = {}): AccountCancels => ({
  ...{ venue: 'paper', account: 'main', is_listed: true, orders },
  pending: orders.filter(({ status }) => status === 'pending').length,
  ...over,
});
const report = (accounts: readonly AccountCancels[], over: Partial<CancelReport> = {}): CancelReport => ({
  ...{ scope: 'global', reason: 'fire', actor: 'ann', accounts, unreachable: [], is_done: true },
  ...over,
});

describe('cancels', () => {
  it('are confirmed when the venues have said it all', () => {
    expect(() => {
      assertCancelled(report([account([order('a', 'cancelled'), order('b', 'spared')])]));
    }).not.toThrow();
  });

  it.each([
    ['nobody answers', undefined, 'nobody answers for the cancels yet'],
    ['an order is pending', report([account([order('a', 'pending')])], { is_done: false }), '1 orders are not known'],
    [
      'an account is silent',
      report([account([], { is_listed: false })], { is_done: false }),
      '1 accounts have not shown',
    ],
    ['an account is out of reach', report([], { unreachable: [{ venue: 'x', account: 'y' }] }), 'cannot be reached'],
    ['nothing was looked at', report([], { is_done: false }), 'no account was looked at yet'],
  ] as const)('are not while %s', (_what, given, words) => {
    expect(() => {
      assertCancelled(given);
    }).toThrow(words);
  });

  it('are shown order by order, with what stands in the way', () => {
    const accounts = [
      account([order('a', 'cancelled'), order('b', 'pending', 'not now')]),
      account([], { venue: 'far', is_listed: false, pending: 0, why: 'closed' }),
    ];
    expect(cancelLines(report(accounts, { is_done: false }), ui)).toEqual([
      'cancels: 1 cancelled, 1 pending; goes on until the venues have said it all',
      '  far main: has not shown its orders yet: closed',
      'ACCOUNT     ORDER  SYMBOL    SIDE  RESULT     FILLED',
      'paper main  a      BTC/USDT  buy   cancelled  -',
      'paper main  b      BTC/USDT  buy   pending    -       not now',
    ]);
    expect(countWords([])).toBe('nothing rested');
  });

  it('are news while they go on, and for an hour after their beginning', () => {
    const named = { name: '1', started_at: 0, report: report([]) };
    expect(isNews(named, 3_599_999)).toBe(true);
    expect(isNews(named, 3_600_000)).toBe(false);
    expect(isNews({ ...named, report: report([], { is_done: false }) }, 9_000_000)).toBe(true);
    expect(isNews({ name: '1', started_at: 0 }, 9_000_000)).toBe(true);
  });
});

describe('flags for cancels', () => {
  it.each([
    ['halt --all --cancel-stops', '--cancel-stops is of use only together with --cancel-open'],
    ['halt exec_1 --cancel-open', '--cancel-open is for scopes of the desk'],
    ['alert --all --cancel-open', "Unknown option '--cancel-open'"],
    ['cancel-all --direct --within 0', 'Use whole seconds'],
    ['cancel-all', 'Nothing was cancelled: it takes the word yes, or --yes'],
  ])('%s is refused before anything is asked of anybody', async (line, words) => {
    const { code, err } = await holdfast(line.split(' '));
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(words) });
  });
});
