import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InOrder } from '../../src/workflows/in-order';

/** All microtasks that were begun. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('ends of local activities', () => {
  it('are heard in the order of their starts, whatever the order they come in', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), (arrivals) => {
        const order = new InOrder(() => false);
        const ends = [0, 1, 2, 3, 4, 5].map(() => order.begin());
        const heard: number[] = [];
        for (const id of arrivals) ends[id]?.(() => void heard.push(id));
        expect(heard).toEqual([0, 1, 2, 3, 4, 5]);
      }),
    );
  });

  it('are heard at once when nothing of before is out', () => {
    const order = new InOrder(() => false);
    const heard: string[] = [];
    order.begin()(() => void heard.push('a'));
    expect(heard).toEqual(['a']);
  });

  it('make room for what is started while one is heard', () => {
    const order = new InOrder(() => false);
    const heard: string[] = [];
    const [first, second] = [order.begin(), order.begin()];
    first(() => {
      const third = order.begin();
      third(() => void heard.push('third'));
      heard.push('first');
    });
    expect(heard).toEqual(['first']);
    second(() => void heard.push('second'));
    expect(heard).toEqual(['first', 'second', 'third']);
  });

  it('fall behind what takes a longer way through promises, and keep their order', async () => {
    const order = new InOrder(() => true);
    const heard: string[] = [];
    const [first, second] = [order.begin(), order.begin()];
    second(() => void heard.push('second'));
    first(() => void heard.push('first'));
    const longWay = (async () => {
      for (let at = 0; at < 10; at += 1) await Promise.resolve();
      heard.push('child');
    })();
    expect(heard).toEqual([]);
    await longWay;
    await settled();
    expect(heard).toEqual(['child', 'first', 'second']);
  });
});
