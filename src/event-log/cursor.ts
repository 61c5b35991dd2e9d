import { isWholeNumber, wholeNumber } from '../whole-number';

/** A place in a stream; `seq` 0 is before its first event. */
export interface Cursor {
  readonly log_epoch: string;
  readonly seq: number;
}

/**
 * Whether something at `place` comes after `known`. Epochs (`<number>-<server>-<born>`) are ordered by the number of the server
 * process, then by when the stream was born. Both are moments of Redis's clock, so neither goes back when the log is emptied or
 * put back to an older dump, which forget how far a counter was. An empty epoch is before all.
 */
export function isAfter(place: Cursor, known: Cursor): boolean {
  if (place.log_epoch === known.log_epoch) return place.seq > known.seq;
  const [number, born] = orderOf(place.log_epoch);
  const [knownNumber, knownBorn] = orderOf(known.log_epoch);
  return number === knownNumber ? born >= knownBorn : number > knownNumber;
}

/** Of an epoch: since when its server has been written through, and when its stream was born; milliseconds since 1970, or -1. */
export function orderOf(epoch: string): [since: number, born: number] {
  const [number = '', , born = ''] = epoch.split('-');
  return [orNone(number), orNone(born)];
}

/** What a client made up is before all, as nothing is. */
function orNone(text: string): number {
  return isWholeNumber(text) ? wholeNumber(text) : -1;
}
