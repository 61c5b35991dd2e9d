import { describe, expect, it } from '@jest/globals';
import { Lanes } from '../../src/gateway/lanes';

/** Work that ends when it is told to. */
function works() {
  const begun: string[] = [];
  const ends = new Map<string, (fails?: boolean) => void>();
  const work = (key: string) => () =>
    new Promise<void>((resolve, reject) => {
      begun.push(key);
      ends.set(key, (fails = false) => {
        if (fails) reject(new Error('as told'));
        else resolve();
      });
    });
  const end = async (key: string, fails?: boolean) => {
    ends.get(key)?.(fails);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, work, end };
}

describe('lanes', () => {
  it('work on so many at once, in the order they were added, and go on after one that fails', async () => {
    const { begun, work, end } = works();
    const lanes = new Lanes(2);
    for (const key of ['a', 'b', 'c', 'd']) lanes.add(key, work(key));
    expect(begun).toEqual(['a', 'b']);
    await end('b', true);
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('take nothing twice while it waits or is worked on, and again after that', async () => {
    const { begun, work, end } = works();
    const lanes = new Lanes(1);
    for (const key of ['a', 'a', 'b', 'b', 'a']) lanes.add(key, work(key));
    await end('a');
    await end('b');
    expect(begun).toEqual(['a', 'b']);
    lanes.add('a', work('a'));
    expect(begun).toEqual(['a', 'b', 'a']);
  });

  it('give up what waits and await what they work on when they are cleared', async () => {
    const { begun, work, end } = works();
    const lanes = new Lanes(1);
    for (const key of ['a', 'b']) lanes.add(key, work(key));
    let isClear = false;
    const clearing = lanes.clear().then(() => (isClear = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClear).toBe(false);
    await end('a');
    await clearing;
    expect(begun).toEqual(['a']);
  });
});
