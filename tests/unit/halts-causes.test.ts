import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import { Halts, isEmergencyNotice } from '../../src/workflows/halts';
import { InFlight } from '../../src/workflows/in-flight';
import { LocalBudget } from '../../src/workflows/local-budget';
import { isUnreadable, payloadConverter } from '../../src/workflows/payload-converter';

const NOW = Date.parse('2026-01-05T12:00:00.000Z');

describe('the causes of a halt', () => {
  it('hold until the last one is lifted', () => {
    const halts = new Halts();
    expect(halts.active).toBe(false);
    expect(halts.raise('execution', 'mine', NOW)).toBe(true);
    expect(halts.raise('global', 'the desk’s', NOW)).toBe(true);
    expect(halts.causes).toEqual([
      { scope: 'execution', reason: 'mine', since: '2026-01-05T12:00:00.000Z' },
      { scope: 'global', reason: 'the desk’s', since: '2026-01-05T12:00:00.000Z' },
    ]);
    expect(halts.lift('execution')).toBe(false);
    expect(halts.active).toBe(true);
    expect(halts.lift('global')).toBe(true);
    expect(halts.active).toBe(false);
  });

  it('keep the first reason of a scope, and lift nothing that was not raised', () => {
    const halts = new Halts();
    expect(halts.lift('global')).toBe(false);
    halts.raise('global', 'first', NOW);
    expect(halts.raise('global', 'second', NOW + 1)).toBe(false);
    expect(halts.causes).toMatchObject([{ reason: 'first' }]);
  });

  it('take of the notices of a scope only those with a higher epoch', () => {
    const halts = new Halts();
    const notice = (scope: string, epoch: number) => ({ scope, epoch, state: 'halt' as const, reason: '' });
    const epochs = [0, 2, 1, 2, 3];
    expect(epochs.map((epoch) => halts.isNews(notice('global', epoch)))).toEqual([true, true, false, false, true]);
    expect(halts.isNews(notice('bot', 0))).toBe(true);
  });

  it('come as notices that can be read in full', () => {
    const notice = { state: 'halt', scope: 'global', epoch: 3, reason: 'fire' };
    expect(isEmergencyNotice(notice)).toBe(true);
    expect(isEmergencyNotice({ ...notice, state: 'normal' })).toBe(true);
    const wrong = [
      undefined,
      null,
      'halt',
      { ...notice, state: 'paused' },
      { ...notice, epoch: '3' },
      { ...notice, epoch: 1.5 },
      { ...notice, scope: 1 },
      { ...notice, reason: undefined },
      { ...notice, scope: 'execution' },
    ];
    expect(wrong.filter(isEmergencyNotice)).toEqual([]);
  });
});

describe('the budget of local activities', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is spent after 64 starts', () => {
    const budget = new LocalBudget();
    for (let started = 0; started < 64; started += 1) {
      expect(budget.isSpent).toBe(false);
      budget.started();
    }
    expect(budget.isSpent).toBe(true);
  });

  it('is spent by 250 ms of what its nodes say they took, whatever the clock says', () => {
    const budget = new LocalBudget();
    budget.started();
    jest.setSystemTime(NOW + 10_000);
    budget.returned(1, 249);
    expect(budget.isSpent).toBe(false);
    budget.returned(1, 1);
    expect(budget.isSpent).toBe(true);
  });

  it('is spent 250 ms after its first node began, however little the nodes took themselves', () => {
    const budget = new LocalBudget();
    budget.returned(1, 5, NOW + 5);
    budget.returned(1, 5, NOW + 249);
    expect(budget.isSpent).toBe(false);
    budget.returned(1, 5, NOW + 250);
    expect(budget.isSpent).toBe(true);
  });

  it('is spent by 256 KiB of results', () => {
    const budget = new LocalBudget();
    budget.returned('x'.repeat(256 * 1024 - 3));
    expect(budget.isSpent).toBe(false);
    budget.returned(1);
    expect(budget.isSpent).toBe(true);
  });

  it('is whole again after a workflow task boundary', () => {
    const budget = new LocalBudget();
    for (let started = 0; started < 64; started += 1) budget.started();
    budget.returned('x'.repeat(300_000), 1_000);
    budget.renew();
    expect(budget.isSpent).toBe(false);
    budget.started();
    expect(budget.isSpent).toBe(false);
  });
});

describe('what is in flight', () => {
  it('has room for 45 activities, beside any number of local ones', () => {
    const flight = new InFlight();
    for (let index = 0; index < 44; index += 1) flight.add(index, 'activity');
    flight.add(44, 'child');
    for (let index = 100; index < 200; index += 1) flight.add(index, 'local');
    expect(flight.hasRoom).toBe(false);
    expect(flight.remove(7)).toBe('activity');
    expect(flight.remove(7)).toBeUndefined();
    expect(flight.hasRoom).toBe(true);
    expect([flight.activities, flight.size]).toEqual([44, 144]);
    expect([...flight.ids].slice(-2)).toEqual([198, 199]);
  });
});

describe('the payload converter', () => {
  it('reads what it wrote', () => {
    expect(payloadConverter.fromPayload(payloadConverter.toPayload({ a: ['1.5'] }))).toEqual({ a: ['1.5'] });
    expect(payloadConverter.toPayload('x')).toEqual(defaultPayloadConverter.toPayload('x'));
  });

  it.each([
    [{}],
    [{ metadata: {} }],
    [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') }],
    [{ metadata: { encoding: Buffer.from('binary/secret') }, data: Buffer.from('x') }],
  ])('marks what nobody can read instead of throwing: %#', (payload) => {
    expect(isUnreadable(payloadConverter.fromPayload(payload))).toBe(true);
  });
});
