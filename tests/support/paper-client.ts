/** ccxt's own binance class at a profile of the paper venue: nothing but its addresses is changed. */
import { binance } from 'ccxt';

const PATHS = { public: 'api/v3', private: 'api/v3', sapi: 'sapi/v1', fapiPublic: 'fapi/v1', dapiPublic: 'dapi/v1' };
/** Nobody listens there: whatever else it asked would be noticed. */
const NOWHERE = 'http://127.0.0.1:9';

export interface PaperKey {
  readonly key: string;
  readonly secret: string;
}

export function paperClient(
  url: string,
  profile: string,
  { key, secret } = { key: 'paper', secret: 'paper' },
): binance {
  const client = new binance({ apiKey: key, secret, enableRateLimit: false });
  const given = Object.keys(client.urls['api'] as Record<string, string>).map((name) => [name, NOWHERE]);
  const ours = Object.entries(PATHS).map(([name, path]) => [name, `${url}/${profile}/${path}`]);
  client.urls['api'] = Object.fromEntries([...given, ...ours]) as Record<string, string>;
  return client;
}
