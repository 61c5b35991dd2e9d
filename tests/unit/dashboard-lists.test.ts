import { describe, expect, it } from '@jest/globals';
import { fromSummary, listed, matches, toCsv } from '../../dashboard/src/executions/listed';
import { amount, clock, counted, duration, moment, percent, pretty } from '../../dashboard/src/format';
import { pathOf, readAddress, withQuery } from '../../dashboard/src/routes';
import { summaryOf } from '../../dashboard/src/shell/summary';

const summary = {
  ...{ execution_id: 'e1', workflow_id: 'w', mode: 'paper', state: 'running' },
  started_at: '2026-01-05T12:00:00.000Z',
};
const told = {
  execution_id: 'e1',
  mode: 'paper',
  state: 'halted',
  has_ended: false,
  last_event_at: '2026-01-05T12:00:09.000Z',
};

describe('an address', () => {
  it.each([
    ['/', { page: 'overview' }],
    ['/emergency', { page: 'emergency' }],
    ['/executions/', { page: 'executions' }],
    ['/executions/exec%3A1', { page: 'execution', id: 'exec:1' }],
    ['/bots/b', { page: 'bot', id: 'b' }],
    ['/strategies/s', { page: 'strategy', id: 's' }],
    ['/strategies/s/more', { page: 'unknown' }],
    ['/emergency/x', { page: 'unknown' }],
    ['/bots/%E0%A4%A', { page: 'unknown' }],
    ['/elsewhere', { page: 'unknown' }],
  ])('%s is %j', (path, route) => {
    expect(readAddress(path, '').route).toEqual(route);
  });

  it('is made of an id as it is read, and of a query with changes', () => {
    const path = pathOf('executions', 'a b/c');
    expect(readAddress(path, '').route).toEqual({ page: 'execution', id: 'a b/c' });
    const { query } = readAddress('/', '?a=1&b=2');
    expect(withQuery('/', query, { a: '', c: 'x y' })).toBe('/?b=2&c=x+y');
    expect(withQuery('/', query, { a: '', b: '' })).toBe('/');
  });
});

describe('the list of executions', () => {
  it('is brought up to date by the feed, newest first, with what the list does not hold yet', () => {
    const other = { ...told, execution_id: 'e2', bot_id: 'b', strategy_id: 's', workflow_id: 'w' };
    const rows = listed([summary], new Map([told, other].map((each) => [each.execution_id, each])));
    expect(rows.map(({ execution_id, state }) => [execution_id, state])).toEqual([
      ['e2', 'halted'],
      ['e1', 'halted'],
    ]);
    expect(rows[0]).toMatchObject({ bot_id: 'b', strategy_id: 's', workflow_id: 'w' });
  });

  it('takes an end for final, whoever says so', () => {
    expect(fromSummary({ ...summary, state: 'completed' }, told)).toMatchObject({
      state: 'completed',
      has_ended: true,
    });
    expect(fromSummary(summary, { ...told, state: 'failed', has_ended: true })).toMatchObject({ has_ended: true });
    expect(fromSummary(summary, undefined)).toMatchObject({ state: 'running', has_ended: false });
  });

  it('says that it waits where only the execution itself can know', () => {
    const waiting = { ...summary, state: 'waiting' };
    expect(fromSummary(waiting, { ...told, state: 'running' }).state).toBe('waiting');
    expect(fromSummary(waiting, told).state).toBe('halted');
  });

  it('is searched in by all words', () => {
    const row = fromSummary(summary, undefined);
    expect([matches(row, ''), matches(row, 'E1  Paper'), matches(row, 'e1 live')]).toEqual([true, true, false]);
  });

  it('is written as CSV that no spreadsheet takes for a formula', () => {
    const row = { ...fromSummary(summary, undefined), execution_id: '=1+1', workflow_id: 'a,"b"' };
    expect(toCsv([row]).split('\r\n')).toEqual([
      'execution_id,workflow_id,state,mode,bot_id,strategy_id,started_at,closed_at',
      `'=1+1,"a,""b""",running,paper,,,2026-01-05T12:00:00.000Z,`,
      '',
    ]);
  });
});

describe('what is read out', () => {
  it('begins with the gravest and counts what has no word of its own', () => {
    expect(summaryOf(['node_completed', 'order_filled', 'node_failed', 'node_completed'])).toBe(
      '1 nodes failed, 2 nodes completed, 1 other events',
    );
    expect(summaryOf(['execution_started'])).toBe('1 executions started');
  });
});

describe('figures', () => {
  it.each([
    [0.4, '0 ms'],
    [-3, '0 ms'],
    [999, '999 ms'],
    [1_500, '1.5 s'],
    [61_000, '1 min 1 s'],
    [3_720_000, '1 h 2 min'],
    [180_000_000, '2 d 2 h'],
  ])('%d ms are %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it('are cut and never rounded up', () => {
    expect(['0.123456789', '5', '1.5000', '-0.1'].map((text) => amount(text))).toEqual([
      '0.12345678',
      '5',
      '1.5',
      '-0.1',
    ]);
    expect(amount('9.999', 2)).toBe('9.99');
    expect([percent('0.8'), counted(1, 'order'), counted(2, 'order'), counted(2, 'copy', 'copies')]).toEqual([
      ...['80.0 %', '1 order', '2 orders', '2 copies'],
    ]);
  });

  it('of time are written in full', () => {
    expect(clock('2026-01-05T12:00:00')).toMatch(/^12:00:00$/);
    expect(moment('2026-01-05T12:00:00')).toBe('2026-01-05 12:00:00');
    expect(pretty({ a: 1 })).toBe('{\n  "a": 1\n}');
  });
});
