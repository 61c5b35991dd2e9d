/** The tutorials, read by a reader who types all of it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { patternOf, TutorialReader } from '../support/tutorial';

jest.setTimeout(240_000);

const pages = ['first-strategy.md', 'own-node-kind.md'];

describe('a tutorial', () => {
  const reader = new TutorialReader();
  afterAll(() => reader.dispose());

  it.each(pages)('does what it says: %s', (page) => reader.read(page));

  it('is read here if it is there', () => {
    const there = readdirSync(join(__dirname, '../../docs/tutorials'));
    expect(there.sort()).toEqual(pages);
  });

  it('is compared by what it prints, not by when and where it was printed', () => {
    const line = '21:04:11.776  node_completed  order  3 ms  {"price":"17715.36"} …';
    expect(patternOf(line).test('09:00:00.001 node_completed   order 120 ms  {"price":"9.1"} and more')).toBe(true);
    expect(patternOf(line).test('21:04:11.776  node_completed  other  3 ms  {"price":"17715.36"} …')).toBe(false);
    expect(patternOf('exec_dip_1f0c2a77 completed in 125 ms').test('exec_dip_00000000 failed in 125 ms')).toBe(false);
    expect(patternOf('valid  mine/dip.json, 5 nodes').test('valid  mine/dip.json, 6 nodes')).toBe(false);
  });
});
