import { describe, expect, it } from '@jest/globals';
import { SharedReads } from '../../src/temporal-client/shared-read';

/** Reads that end when they are told to; each answers with its number. */
function reads() {
  const begun: string[] = [];
  const ends: ((fails?: boolean) => void)[] = [];
  const shared = new SharedReads((key) => {
    const number = begun.push(key);
    return new Promise<string>((resolve, reject) => {
      ends.push((fails = false) => {
        if (fails) reject(new Error(`${key} ${number}`));
        else resolve(`${key} ${number}`);
      });
    });
  });
  return { begun, ends, shared };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('shared reads', () => {
  it('are one at a time for each key, and never older than the question', async () => {
    const { begun, ends, shared } = reads();
    const first = shared.get('a');
    const later = [shared.get('a'), shared.get('a')];
    const other = shared.get('b');
    expect(begun).toEqual(['a', 'b']);
    ends[0]?.();
    ends[1]?.();
    expect([await first, await other]).toEqual(['a 1', 'b 2']);
    await settle();
    expect(begun).toEqual(['a', 'b', 'a']);
    ends[2]?.();
    expect(await Promise.all(later)).toEqual(['a 3', 'a 3']);
  });

  it('fail for those who waited for them alone', async () => {
    const { ends, shared } = reads();
    const [first, second] = [shared.get('a'), shared.get('a')];
    ends[0]?.(true);
    await expect(first).rejects.toThrow('a 1');
    await settle();
    ends[1]?.();
    expect(await second).toBe('a 2');
    const third = shared.get('a');
    ends[2]?.();
    expect(await third).toBe('a 3');
  });
});
