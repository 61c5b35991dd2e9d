import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalClosing, closingOf, commandOf, readClosing, type Closing } from '../../src/emergency/closing';
import { LARGEST_CLOSING, openClosing, signClosing } from '../../src/event-log/closings';

const KEY = 'k'.repeat(32);
const now = 1_700_000_000_000;
const closing: Closing = {
  ...{ v: 1, desk: 'default', scope: 'bot:a', state: 'halt', command_id: 'c1', reason: 'drill', actor: 'kim' },
  issued_at: now,
};
const expected = { desk: 'default', key: KEY, now };
const texts = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== '');
const closings = fc.record<Closing>(
  {
    v: fc.constant(1),
    desk: fc.constantFrom('default', 'other'),
    scope: fc.constantFrom('global', 'bot:a', 'symbol:BTC/USDT'),
    state: fc.constantFrom('halt', 'shutdown'),
    command_id: fc.constantFrom('c1', 'c2'),
    reason: texts,
    actor: texts,
    issued_at: fc.integer({ min: now - 1_000, max: now + 1_000 }),
    cancel_open: fc.boolean(),
    epoch: fc.nat(),
  },
  { requiredKeys: ['v', 'desk', 'scope', 'state', 'command_id', 'reason', 'actor', 'issued_at'] },
);

describe('a closing', () => {
  it('is read as it was written and signed', () => {
    fc.assert(
      fc.property(closings, (each) => {
        const text = JSON.stringify(signClosing(each, KEY));
        expect(openClosing(text, { ...expected, desk: each.desk })).toEqual(signClosing(each, KEY));
      }),
    );
  });

  it('has a text of its own: no two that differ are signed alike', () => {
    fc.assert(
      fc.property(closings, closings, (a, b) => {
        const same =
          JSON.stringify(readClosing(signClosing(a, KEY))) === JSON.stringify(readClosing(signClosing(b, KEY)));
        expect(canonicalClosing(a) === canonicalClosing(b)).toBe(same);
      }),
    );
  });

  it('counts for nothing when any member was changed after signing', () => {
    const signed = signClosing({ ...closing, cancel_open: true, epoch: 5 }, KEY);
    const changes: Record<string, unknown> = {
      ...{ scope: 'global', state: 'shutdown', command_id: 'c2', reason: 'x', actor: 'x', desk: 'other' },
      ...{ issued_at: now + 1, cancel_open: false, epoch: 6 },
    };
    for (const [member, value] of Object.entries(changes)) {
      expect([member, openClosing(JSON.stringify({ ...signed, [member]: value }), expected)]).toEqual([
        member,
        'forged',
      ]);
    }
    expect(openClosing(JSON.stringify(signClosing(closing, 'x'.repeat(32))), expected)).toBe('forged');
  });

  it('is for one desk: what another’s channel carried counts for nothing here', () => {
    expect(openClosing(JSON.stringify(signClosing(closing, KEY)), { ...expected, desk: 'other' })).toBe('forged');
  });

  it.each([
    [30_000, true],
    [30_001, false],
    [-30_000, true],
    [-30_001, false],
  ])('heard %d ms after it was issued is good: %s', (after, good) => {
    const opened = openClosing(JSON.stringify(signClosing(closing, KEY)), { ...expected, now: now + after });
    expect(typeof opened === 'object').toBe(good);
    if (!good) expect(opened).toBe('late');
  });

  it.each<[string, unknown]>([
    ['no JSON', undefined],
    ['a list', []],
    ['another version', { ...signClosing(closing, KEY), v: 2 }],
    ['no scope', { ...signClosing(closing, KEY), scope: 'planet:mars' }],
    ['a state that closes nothing', { ...signClosing(closing, KEY), state: 'alert' }],
    ['an empty reason', { ...signClosing(closing, KEY), reason: ' ' }],
    ['a time that is a text', { ...signClosing(closing, KEY), issued_at: String(now) }],
    ['no signature', closing],
    ['half a signature', { ...signClosing(closing, KEY), signature: 'ab' }],
    ['an epoch that is no number', { ...signClosing(closing, KEY), epoch: '1' }],
    ['a flag that is none', { ...signClosing(closing, KEY), cancel_open: 'yes' }],
  ])('is unreadable with %s', (_, value) => {
    expect(openClosing(value === undefined ? '{' : JSON.stringify(value), expected)).toBe('unreadable');
  });

  it('is not even parsed when it is too large', () => {
    expect(openClosing(' '.repeat(LARGEST_CLOSING + 1), expected)).toBe('oversized');
  });

  it('announces a command and gives the same command back', () => {
    const command = { action: 'halt', scope: 'global', command_id: 'c', reason: 'r', actor: 'a' } as const;
    for (const each of [command, { ...command, cancel_open: true }]) {
      expect(commandOf(closingOf(each, { desk: 'default', issued_at: now }))).toEqual(each);
    }
  });
});
