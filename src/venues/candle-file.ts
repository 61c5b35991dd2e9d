import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, messageOf } from '../errors';
import { isDecimal } from '../money';
import { wholeNumber } from '../whole-number';
import type { Candle } from './venue';

const HEADER = 'open_time_ms,open,high,low,close,volume';

/** Reads one-minute bars, oldest first. Throws `DataUnavailable` when the file is absent or damaged. */
export async function readCandleFile(directory: string, file: string): Promise<readonly Candle[]> {
  return parseCandles(await readText(directory, file), file);
}

export async function readText(directory: string, file: string): Promise<string> {
  try {
    return await readFile(join(directory, file), 'utf8');
  } catch (error) {
    throw new HoldfastError('DataUnavailable', `The recorded market ${file} cannot be read: ${messageOf(error)}`);
  }
}

/**
 * Parses `open_time_ms,open,high,low,close,volume`. Prices stay the text they are. Throws `DataUnavailable` naming the
 * line that is not six values, not decimal, or not later than the line before it.
 */
export function parseCandles(text: string, file: string): readonly Candle[] {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/);
  if (header !== HEADER || lines.length === 0) throw damaged(file, 1);
  const candles: Candle[] = [];
  for (const [index, line] of lines.entries()) {
    const candle = parseCandle(line);
    const previous = candles.at(-1)?.open_time_ms ?? -1;
    if (candle === undefined || candle.open_time_ms <= previous) throw damaged(file, index + 2);
    candles.push(candle);
  }
  return candles;
}

function parseCandle(line: string): Candle | undefined {
  const [time = '', ...prices] = line.split(',');
  const [open = '', high = '', low = '', close = '', volume = ''] = prices;
  const sound = /^\d{1,15}$/.test(time) && prices.length === 5 && prices.every(isDecimal);
  return sound ? { open_time_ms: wholeNumber(time), open, high, low, close, volume } : undefined;
}

export function damaged(file: string, line: number): HoldfastError {
  return new HoldfastError('DataUnavailable', `The recorded market ${file} is damaged in line ${line}.`, {
    file,
    line,
  });
}
