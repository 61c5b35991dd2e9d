import { describe, expect, it } from '@jest/globals';
import { Places } from '../../src/gateway/places';

const FOR_EVER_MS = 600_000;

/** Work that ends when it is told to. */
function works(places: Places) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const come = (name: string) =>
    places.within(async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      return name;
    });
  return { begun, come, end: (name: string) => ends.get(name)?.() };
}

describe('places', () => {
  it('are so many, and go to who has waited longest', async () => {
    const { begun, come, end } = works(new Places(2, FOR_EVER_MS));
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(come);
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await b;
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await Promise.all([a, c]);
    end('d');
    expect(await d).toBe('d');
    const e = come('e');
    end('e');
    expect(await e).toBe('e');
  });

  it('are free again after work that failed', async () => {
    const places = new Places(1, FOR_EVER_MS);
    await expect(places.within(() => Promise.reject(new Error('as told')))).rejects.toThrow('as told');
    expect(await places.within(() => Promise.resolve('next'))).toBe('next');
  });

  it('are refused to who waited too long, whose work is never begun', async () => {
    const { begun, come, end } = works(new Places(1, 5));
    const first = come('first');
    await expect(come('late')).rejects.toMatchObject({ code: 'RateLimited' });
    end('first');
    await first;
    const next = come('next');
    end('next');
    await next;
    expect(begun).toEqual(['first', 'next']);
  });
});
