import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Clock } from '../../src/workflows/clock';

const BEGIN = Date.UTC(2026, 0, 31, 12);

/** What the SDK shows as time: set by hand. */
function show(ms: number): void {
  jest.setSystemTime(BEGIN + ms);
}

describe("an execution's clock", () => {
  beforeEach(() => {
    jest.useFakeTimers();
    show(0);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('shows when the server last brought something', () => {
    const clock = new Clock();
    show(500);
    expect(clock.now).toBe(BEGIN);
    clock.look();
    expect(clock.now).toBe(BEGIN + 500);
  });

  it('counts what workers report of local activities, wherever their own clocks stand', () => {
    const clock = new Clock();
    clock.local(5, 7_005);
    expect(clock.now).toBe(BEGIN + 5);
    clock.local(5, 7_040);
    expect(clock.now).toBe(BEGIN + 40);
    show(1_000);
    clock.look();
    expect(clock.now).toBe(BEGIN + 1_000);
  });

  it('shows the same whether ends are handed over one by one or together, when all are over', () => {
    const alone = new Clock();
    const together = new Clock();
    const seen: number[] = [];
    for (const [duration, ended] of [
      [3, 103],
      [4, 120],
    ] as const) {
      show(ended - 100);
      alone.local(duration, ended);
      seen.push(alone.now);
    }
    show(20);
    const replayed = [
      [3, 103],
      [4, 120],
    ].map(([duration = 0, ended = 0]) => {
      together.local(duration, ended);
      return together.now;
    });
    expect(replayed).toEqual(seen);
  });

  it('never runs backwards', () => {
    const clock = new Clock();
    clock.local(900, 900);
    show(100);
    clock.look();
    expect(clock.now).toBe(BEGIN + 900);
  });
});
