import { describe, expect, it } from '@jest/globals';
import { haltReason, resumeReason } from '../../src/emergency/reason';
import { resumeReason as resumeReasonOfSignal } from '../../src/workflows/reason';

const unreadable = { unreadable_payload: 'broken' };

describe('a reason', () => {
  it.each([
    ['fire', 'fire'],
    ['  fire ', 'fire'],
    ['', 'unspecified'],
    ['   ', 'unspecified'],
    [{ reason: 'fire' }, 'fire'],
    [{ reason: '' }, 'unspecified'],
    [{ reason: 7 }, 'unspecified'],
    [{}, 'unspecified'],
    [undefined, 'unspecified'],
    [null, 'unspecified'],
    [7, 'unspecified'],
    [true, 'unspecified'],
    [['fire'], 'unspecified'],
    [unreadable, 'unspecified'],
    [{ reason: { reason: 'fire' } }, 'unspecified'],
  ])('of a halt is read from %j as %j', (payload, reason) => {
    expect(haltReason(payload)).toBe(reason);
  });

  it.each([
    ['calm', 'calm'],
    ['', 'unspecified'],
    [undefined, 'unspecified'],
    [null, 'unspecified'],
    [{}, 'unspecified'],
    [{ reason: 'calm' }, 'calm'],
    [{ reason: 7 }, undefined],
    [7, undefined],
    [false, undefined],
    [['calm'], undefined],
  ])('of a resume is read from %j as %j, and without one nothing is lifted', (payload, reason) => {
    expect(resumeReason(payload)).toBe(reason);
  });

  it('is cut at 500 characters', () => {
    expect(haltReason('x'.repeat(1_000))).toHaveLength(500);
    expect(haltReason({ reason: 'x'.repeat(1_000) })).toHaveLength(500);
  });

  it('of a resume is unspecified where it says something else, and none where a signal cannot be read', () => {
    expect(resumeReason(unreadable)).toBe('unspecified');
    expect(resumeReasonOfSignal(unreadable)).toBeUndefined();
    expect(resumeReasonOfSignal({ reason: 'calm' })).toBe('calm');
  });
});
