/** ccxt's own binance classes at a profile of the paper venue: nothing but their addresses is changed. */
import { binance, pro } from 'ccxt';

const PATHS = { public: 'api/v3', private: 'api/v3', sapi: 'sapi/v1', fapiPublic: 'fapi/v1', dapiPublic: 'dapi/v1' };
/** Nobody listens there: whatever else it asked would be noticed. */
const NOWHERE = 'http://127.0.0.1:9';

export interface PaperKey {
  readonly key: string;
  readonly secret: string;
}

const PAPER_KEY: PaperKey = { key: 'paper', secret: 'paper' };

export function paperClient(url: string, profile: string, key: PaperKey = PAPER_KEY): binance {
  return led(new binance(optionsOf(key)), url, profile);
}

/** The class that watches. Whoever opens it closes it. */
export async function paperWatcher(url: string, profile: string, key: PaperKey = PAPER_KEY) {
  const client = led(new pro.binance(optionsOf(key)), url, profile);
  const spot = `${url.replace(/^http/, 'ws')}/${profile}/ws-api/v3`;
  Object.assign(client.urls['api'] as object, { ws: { 'ws-api': { spot } } });
  // ccxt wants that asked for where an address is not wss.
  await client.loadHttpProxyAgent();
  return client;
}

function optionsOf({ key, secret }: PaperKey) {
  return { apiKey: key, secret, enableRateLimit: false };
}

function led<T extends { urls: binance['urls'] }>(client: T, url: string, profile: string): T {
  const given = Object.keys(client.urls['api'] as Record<string, string>).map((name) => [name, NOWHERE]);
  const ours = Object.entries(PATHS).map(([name, path]) => [name, `${url}/${profile}/${path}`]);
  client.urls['api'] = Object.fromEntries([...given, ...ours]) as Record<string, string>;
  return client;
}
