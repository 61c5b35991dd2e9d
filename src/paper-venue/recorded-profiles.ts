/** The recorded markets as profiles of the venue. */
import { HoldfastError } from '../errors';
import { readCandleFile } from '../venues/candle-file';
import { readQuoteFile } from '../venues/quote-file';
import { replayWindow } from '../venues/recorded-venue';
import { recordings, type Recording } from '../venues/recordings';
import type { MarketRules } from './market';
import type { ProfileOptions } from './profile';

const usual = { tick: '0.01', max_quantity: '9000' };

/** As the venues had them when the market was recorded. */
const rules: Readonly<Record<string, MarketRules>> = {
  recorded_dash: { ...usual, step: '0.00001', min_quantity: '0.00001', min_notional: '10' },
  paper_binance: { ...usual, step: '0.00001', min_quantity: '0.00001', min_notional: '10' },
  paper_bybit: { ...usual, step: '0.000001', min_quantity: '0.000048', min_notional: '1' },
};

/** What the base currency of an account is at the start, where ten are too few to try anything. */
const balances: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  recorded_dash: { USDT: '100000', DASH: '1000' },
};

/** Throws `DataUnavailable` when a file is absent or damaged. */
export async function recordedProfiles(directory: string, speed: number): Promise<readonly ProfileOptions[]> {
  return Promise.all(recordings.map((recording) => recordedProfile(recording, directory, speed)));
}

async function recordedProfile(recording: Recording, directory: string, speed: number): Promise<ProfileOptions> {
  const { profile, symbol, file, quotes } = recording;
  const [base = '', quote = ''] = symbol.split('/');
  const found = rules[profile];
  if (found === undefined) throw new HoldfastError('Unexpected', `no rules of the market of ${profile}`);
  const bars = await readCandleFile(directory, file);
  const recorded = quotes === undefined ? {} : { quotes: await readQuoteFile(directory, quotes) };
  const market = { base, quote, rules: found, bars, ...recorded, window: replayWindow(recording, speed) };
  const given = balances[profile];
  return { profile, market, ...(given && { balances: given }) };
}
