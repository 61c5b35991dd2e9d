import { isDecimal } from '../money';
import { wholeNumber } from '../whole-number';
import { damaged, readText } from './candle-file';

/** Best prices at the end of one minute, and how much stood there. */
export interface RecordedQuote {
  readonly open_time_ms: number;
  readonly bid: string;
  readonly bid_quantity: string;
  readonly ask: string;
  readonly ask_quantity: string;
}

const HEADER = 'open_time_ms,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size';

/** Reads one-minute quotes, oldest first. Throws `DataUnavailable` when the file is absent or damaged. */
export async function readQuoteFile(directory: string, file: string): Promise<readonly RecordedQuote[]> {
  return parseQuotes(await readText(directory, file), file);
}

/** Throws `DataUnavailable` naming the line that is not eleven values, not decimal, or not later than the line before it. */
export function parseQuotes(text: string, file: string): readonly RecordedQuote[] {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/);
  if (header !== HEADER || lines.length === 0) throw damaged(file, 1);
  const quotes: RecordedQuote[] = [];
  for (const [index, line] of lines.entries()) {
    const quote = parseQuote(line);
    const previous = quotes.at(-1)?.open_time_ms ?? -1;
    if (quote === undefined || quote.open_time_ms <= previous) throw damaged(file, index + 2);
    quotes.push(quote);
  }
  return quotes;
}

function parseQuote(line: string): RecordedQuote | undefined {
  const [time = '', ...values] = line.split(',');
  const [bid = '', bid_quantity = ''] = values.slice(3);
  const [ask = '', ask_quantity = ''] = values.slice(8);
  const sound = /^\d{1,15}$/.test(time) && values.length === 10 && values.every(isDecimal);
  return sound ? { open_time_ms: wholeNumber(time), bid, bid_quantity, ask, ask_quantity } : undefined;
}
