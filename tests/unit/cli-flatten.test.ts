/** What the command line shows of positions that are to be closed, and what it refuses before anybody is asked. */
import { describe, expect, it } from '@jest/globals';
import type { ClosingTarget, FlattenReport, FlattenResult } from '../../src/emergency/flatten';
import type { DeskStatus } from '../../src/emergency/status';
import { assertFlat, flattenLines, namedFlattenLines, previewLines, previewOf } from '../../src/cli/flattens';
import { isNews } from '../../src/cli/cancels';
import type { Ui } from '../../src/cli/io';
import { holdfast } from '../support/command-line';

const ui = { paint: (_tone: string, text: string) => text } as Ui;
const target: ClosingTarget = {
  ...{ venue: 'paper', account: 'main', symbol: 'BTC/USDT', bot_id: 'b', strategy_id: 's' },
  ...{ side: 'sell', quantity: '0.5', price: '100.1' },
};
const { price: _price, ...place } = target;
const result = (over: Partial<FlattenResult>): FlattenResult => ({
  ...{ ...place, status: 'closed', filled_quantity: '0.5', filled_notional: '50', average_price: '100' },
  ...{ rest: '0', orders: ['o'] },
  ...over,
});
const report = (results: readonly FlattenResult[], is_done = true): FlattenReport => ({
  ...{ scope: 'bot:b', epoch: 7, reason: 'over', actor: 'ann', command_id: 'c', results, is_done },
});
const status = (state: string) =>
  ({ scopes: [{ scope: 'venue:paper', state }], open_permits: { listed: [] } }) as unknown as DeskStatus;

describe('positions that are to be closed', () => {
  it('are shown with what they are worth, who holds them, and what is in the way', () => {
    const nobodys = { ...place, price: '100.1' };
    const previews = previewOf(
      [target, { ...nobodys, bot_id: undefined } as unknown as ClosingTarget],
      status('shutdown'),
    );
    expect(previewLines(previews.slice(0, 1), 'USDT')).toEqual([
      'ACCOUNT     SYMBOL    OF    SIDE  QUANTITY  MARK   WORTH',
      'paper main  BTC/USDT  b, s  sell  0.5       100.1  50.05 USDT  no order goes out in a shutdown',
    ]);
    expect(previewOf([target], status('halt'))).toEqual([{ target, worth: '50.05' }]);
  });

  it('are cut at fifty lines, and it says so', () => {
    const lines = previewLines(
      previewOf(
        Array.from({ length: 51 }, () => target),
        status('normal'),
      ),
      'USDT',
    );
    expect([lines.length, lines.at(-1)]).toEqual([52, 'and 1 more; --json shows them']);
    const many = flattenLines(report(Array.from({ length: 52 }, () => result({}))), ui);
    expect([many.length, many.at(-1)]).toEqual([53, 'and 2 more; --json shows them']);
  });
});

describe('a flatten', () => {
  it('is shown position by position, with what stands in the way', () => {
    const refused = {
      status: 'refused',
      code: 'OrderRejected',
      why: 'too small',
      filled_quantity: '0',
      rest: '0.5',
    } as const;
    const { average_price: _average, ...none } = result(refused);
    const nobodys = { ...result({}), bot_id: undefined, strategy_id: undefined } as unknown as FlattenResult;
    expect(flattenLines(report([nobodys, none], false), ui)).toEqual([
      'flatten: 1 closed, 1 refused; goes on until the venues have said it all',
      'ACCOUNT     SYMBOL    OF    SIDE  HELD  RESULT   FILLED  AT   REST',
      'paper main  BTC/USDT  -     sell  0.5   closed   0.5     100  0',
      'paper main  BTC/USDT  b, s  sell  0.5   refused  0       -    0.5   OrderRejected: too small',
    ]);
    expect(flattenLines(report([]), ui)).toEqual(['flatten: nothing is held']);
  });

  it('is news while it goes on, and for an hour after its beginning', () => {
    const named = { name: '7', started_at: 0, report: report([]) };
    expect(isNews(named, 3_599_999)).toBe(true);
    expect(isNews(named, 3_600_000)).toBe(false);
    expect(isNews({ ...named, report: report([], false) }, 9_000_000)).toBe(true);
    expect(isNews({ name: '7', started_at: 0 }, 9_000_000)).toBe(true);
  });

  it('is shown in the status with what is not closed alone', () => {
    const waits = result({ status: 'pending', why: 'it rests', rest: '0.5' });
    expect(namedFlattenLines({ name: '7', started_at: 0, report: report([result({}), waits], false) }, ui)).toEqual([
      'to be closed: bot:b since 1970-01-01T00:00:00.000Z by ann: over',
      'flatten: 1 pending, 1 closed; goes on until the venues have said it all',
      'ACCOUNT     SYMBOL    OF    SIDE  HELD  RESULT   FILLED  AT   REST',
      'paper main  BTC/USDT  b, s  sell  0.5   pending  0.5     100  0.5   it rests',
    ]);
    expect(namedFlattenLines({ name: '7', started_at: 0 }, ui)).toEqual([
      'flatten 7 since 1970-01-01T00:00:00.000Z: no worker answers for it',
    ]);
  });

  it.each([
    ['nobody answers', undefined, 'nobody answers for it yet'],
    ['it goes on', report([result({ status: 'pending' })], false), 'It goes on, but 1 positions are not closed yet.'],
    ['some is left', report([result({ status: 'partly_closed' })]), 'It has ended, but 1 positions are not closed.'],
    ['nothing was planned yet', report([], false), 'It goes on, but 0 positions are not closed yet.'],
  ])('is incomplete while %s', (_what, given, words) => {
    expect(() => {
      assertFlat(given);
    }).toThrow(words);
  });

  it('is complete when all is closed, by whomever', () => {
    expect(() => {
      assertFlat(report([result({}), result({ status: 'nothing' })]));
    }).not.toThrow();
  });

  it.each([
    ['flatten', "Missing required argument 'scope'", 2],
    ['flatten everything --reason over', 'There is no scope everything', 4],
    ['flatten global', 'The flatten of global needs --reason', 2],
    ['flatten global --reason over --confirm bot:b', 'Nothing was closed: it takes the scope once more, global', 2],
    ['flatten global --reason over --command-id', "Option '--command-id <id>' argument missing", 2],
  ])('%s is refused before anything is asked of anybody', async (line, words, exit) => {
    const { code, err } = await holdfast(line.split(' '));
    expect({ code, err }).toEqual({ code: exit, err: expect.stringContaining(words) });
  });
});
