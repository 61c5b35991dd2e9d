import { beforeEach, describe, expect, it } from '@jest/globals';
import { LARGEST_CLOCK_BOUND_MS, VenueClock } from '../../src/venues/venue-clock';

/** The venue is this far ahead of the wall. */
let ahead: number;
/** Round trips of the samples to come, and the share of them that the way there takes. */
let trips: number[];
let wayThere: number;
let steady: number;
let stepped: number;
let asked: number;
let clock: VenueClock;

const WALL = 1_700_000_000_000;
const wall = () => WALL + stepped + steady;

beforeEach(() => {
  [ahead, trips, wayThere, steady, stepped, asked] = [0, [], 0.5, 1_000, 0, 0];
  clock = new VenueClock({ profile: 'p', ask, steady: () => steady, wall });
});

function ask(): Promise<number> {
  asked += 1;
  const trip = trips.shift() ?? 10;
  steady += trip * wayThere;
  const shown = Math.floor(WALL + steady + ahead);
  steady += trip * (1 - wayThere);
  return Promise.resolve(shown);
}

describe('the clock of a venue', () => {
  it('is this machine’s, and relied on by nobody, until it was measured', () => {
    expect([clock.now(), clock.offsetMs(), clock.boundMs()]).toEqual([wall(), undefined, undefined]);
  });

  it.each([0, 0.5, 1])(
    'is measured by the quickest of five round trips, and is wrong by half of it at most (%d)',
    async (share) => {
      [ahead, trips, wayThere] = [250, [400, 80, 20, 600, 90], share];
      await clock.assertSure();
      expect(asked).toBe(5);
      expect(clock.boundMs()).toBeGreaterThanOrEqual(10);
      expect(clock.boundMs()).toBeLessThan(12);
      expect(Math.abs((clock.offsetMs() ?? 0) - 250)).toBeLessThanOrEqual(clock.boundMs() ?? 0);
    },
  );

  it('goes on with the steady clock when the wall clock is set', async () => {
    ahead = 40;
    await clock.refresh();
    const before = clock.now();
    stepped = -3_600_000;
    steady += 5;
    expect(clock.now()).toBe(before + 5);
    expect(Math.round((clock.offsetMs() ?? 0) / 100)).toBe(36_000);
  });

  it('is relied on no more when every answer takes over a second', async () => {
    trips = [1_100, 1_100, 1_100, 1_100, 1_100];
    await expect(clock.assertSure()).rejects.toMatchObject({ code: 'ClockUncertain' });
    expect(clock.boundMs()).toBeGreaterThan(LARGEST_CLOCK_BOUND_MS);
  });

  it('says why it is uncertain when the venue does not answer, and is asked again the next time', async () => {
    const failing = new VenueClock({
      profile: 'p',
      ask: () => Promise.reject(new Error('away')),
      steady: () => steady,
      wall,
    });
    await expect(failing.assertSure()).rejects.toMatchObject({
      code: 'ClockUncertain',
      message: expect.stringContaining('away') as unknown,
    });
    await expect(failing.assertSure()).rejects.toMatchObject({ code: 'ClockUncertain' });
  });

  it('grows less sure with its age, until it is measured again', async () => {
    await clock.assertSure();
    const fresh = clock.boundMs() ?? 0;
    steady += 60_000;
    expect(clock.boundMs()).toBeCloseTo(fresh + 12, 0);
    steady += 3 * 3_600_000;
    expect(clock.boundMs()).toBeGreaterThan(LARGEST_CLOCK_BOUND_MS);
    asked = 0;
    await clock.assertSure();
    expect([asked, (clock.boundMs() ?? 999) < 10]).toEqual([5, true]);
  });

  it('keeps what is sharper than a new measurement, but not what a new one contradicts', async () => {
    trips = [10, 10, 10, 10, 10];
    await clock.refresh();
    const sharp = clock.offsetMs();
    [trips, wayThere] = [[200, 200, 200, 200, 200], 0];
    await clock.refresh();
    expect(clock.offsetMs()).toBeCloseTo(sharp ?? NaN, 3);
    [ahead, trips, wayThere] = [5_000, [200, 200, 200, 200, 200], 0.5];
    await clock.refresh();
    expect(Math.abs((clock.offsetMs() ?? 0) - 5_000)).toBeLessThanOrEqual(clock.boundMs() ?? 0);
  });

  it('is measured anew after thirty seconds of use, once for all who ask at a time', async () => {
    await clock.refresh();
    asked = 0;
    clock.keepFresh();
    steady += 30_001;
    clock.keepFresh();
    clock.keepFresh();
    await clock.refresh();
    expect(asked).toBe(5);
  });

  it('is unknown again when the venue says that it is wrong', async () => {
    await clock.refresh();
    clock.forget();
    expect(clock.offsetMs()).toBeUndefined();
  });
});
