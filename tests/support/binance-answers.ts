/** Answers in Binance's dialect, as files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../fixtures/binance');

export type RecordedAnswer =
  | 'account'
  | 'cancel'
  | 'depth'
  | 'exchange-info'
  | 'klines'
  | 'my-trades'
  | 'order-filled'
  | 'order-partial'
  | 'ticker';

/** A copy of its own for each caller. */
export function recorded(name: RecordedAnswer): Record<string, unknown> {
  return read(name) as Record<string, unknown>;
}

export function recordedList(name: RecordedAnswer): unknown[] {
  return read(name) as unknown[];
}

function read(name: RecordedAnswer): unknown {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}
