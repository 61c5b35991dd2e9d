/** Where a trading day begins and ends: at midnight in its IANA zone, whatever the hours between. */
import { wholeNumber } from '../whole-number';

/** From `starts` until before `ends`, in milliseconds since 1970. */
export interface Day {
  readonly starts: number;
  readonly ends: number;
}

const HOUR = 3_600_000;
/** More than the longest civil day, and than the one that a zone skipped. */
const REACH = 50 * HOUR;

export function tradingDayOf(at: number, zone: string): Day {
  const dateAt = localDate(zone);
  const today = dateAt(at);
  return {
    starts: firstInstant((instant) => dateAt(instant) >= today, at - REACH, at),
    ends: firstInstant((instant) => dateAt(instant) > today, at, at + REACH),
  };
}

export function isWithin({ starts, ends }: Day, at: number): boolean {
  return at >= starts && at < ends;
}

/** The local date as a number that grows with it: 2026-03-29 is 20260329. */
function localDate(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  return (at) => {
    const parts = format.formatToParts(at);
    const numberOf = (type: string) => wholeNumber(parts.find((part) => part.type === type)?.value ?? '');
    return numberOf('year') * 10_000 + numberOf('month') * 100 + numberOf('day');
  };
}

/** By halving: zones change their offset at any minute, so no arithmetic on hours finds midnight. */
function firstInstant(isReached: (instant: number) => boolean, before: number, reached: number): number {
  let [low, high] = [before, reached];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isReached(middle)) high = middle;
    else low = middle;
  }
  return high;
}
