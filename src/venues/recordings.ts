/** The recorded markets Holdfast ships, one per paper venue profile. Sources and licences: examples/data/README.md. */

export interface Recording {
  /** The venue profile a graph names. */
  readonly profile: string;
  readonly symbol: string;
  /** In the data directory. */
  readonly file: string;
  /** Recorded best prices, in the data directory, where there are some. */
  readonly quotes?: string;
  /** The recorded period, UTC epoch milliseconds, end exclusive. Equal periods replay in step. */
  readonly from_ms: number;
  readonly to_ms: number;
}

const utc = (text: string): number => Date.parse(`${text}T00:00:00Z`);
const DASH_WEEK = { from_ms: utc('2020-09-09'), to_ms: utc('2020-09-16') };
const INFLATION_DAY = { from_ms: utc('2022-12-13'), to_ms: utc('2022-12-14') };

export const recordings: readonly Recording[] = [
  {
    profile: 'recorded_dash',
    symbol: 'DASH/USDT',
    file: 'dash_usdt_1m_2020-09-09_2020-09-15.csv',
    ...DASH_WEEK,
  },
  { profile: 'paper_binance', symbol: 'BTC/BUSD', file: 'binance_btcbusd_1m_2022-12-13.csv', ...INFLATION_DAY },
  {
    profile: 'paper_bybit',
    symbol: 'BTC/USDT',
    file: 'bybit_btcusdt_1m_2022-12-13.csv',
    quotes: 'bybit_btcusdt_quote_1m_2022-12-13.csv',
    ...INFLATION_DAY,
  },
];
