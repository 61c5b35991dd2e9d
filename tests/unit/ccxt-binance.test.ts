import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Secret } from '../../src/secret';
import { CcxtBinance, type CcxtBinanceOptions } from '../../src/venues/ccxt-binance';

const KEY = 'planted-key-1c7e';
const SECRET = 'planted-secret-90bd';
const NOW = 1_670_889_600_123;
let carried: { readonly path: string; readonly headers: Readonly<Record<string, string>> }[];
let api: CcxtBinance;

const make = (options: Partial<CcxtBinanceOptions> = {}) =>
  new CcxtBinance({
    base_url: 'http://127.0.0.1:8010/paper_binance',
    credentials: { key: new Secret(KEY), secret: new Secret(SECRET) },
    now: () => NOW,
    carry: (path, headers) => {
      carried.push({ path, headers });
      return Promise.resolve({ status: 200, body: '{}' });
    },
    ...options,
  });
/** Everything that waits for no timer has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const signatureOf = (query: string) => createHmac('sha256', SECRET).update(query).digest('hex');

beforeEach(() => {
  carried = [];
  api = make();
});

describe('what ccxt signs', () => {
  it('is an order whose time and window are those given, as the body of one request', () => {
    const {
      method,
      path,
      headers,
      body = '',
    } = api.order('POST', {
      ...{ symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '1234567890123456789.012345678' },
      ...{ newClientOrderId: 'c0ffee', timestamp: '1670889600001', recvWindow: '871' },
    });
    expect([method, path]).toEqual(['POST', '/paper_binance/api/v3/order']);
    expect(headers).toEqual({ 'X-MBX-APIKEY': KEY, 'Content-Type': 'application/x-www-form-urlencoded' });
    const [query = '', signature] = body.split('&signature=');
    expect(signature).toBe(signatureOf(query));
    expect(Object.fromEntries(new URLSearchParams(query))).toEqual({
      ...{ symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '1234567890123456789.012345678' },
      ...{ newClientOrderId: 'c0ffee', timestamp: '1670889600001', recvWindow: '871' },
    });
  });

  it('is a cancel without a body', () => {
    const { path, body } = api.order('DELETE', {
      symbol: 'BTCUSDT',
      origClientOrderId: 'c0ffee',
      timestamp: '1',
      recvWindow: '60000',
    });
    const [address = '', query = ''] = path.split('?');
    expect([address, body]).toEqual(['/paper_binance/api/v3/order', undefined]);
    expect(query).toMatch(
      /^timestamp=1&symbol=BTCUSDT&origClientOrderId=c0ffee&recvWindow=60000&signature=[0-9a-f]{64}$/,
    );
  });

  it('is a read with the venue’s time', async () => {
    expect(await api.read('account', { omitZeroBalances: 'true' })).toEqual({ status: 200, body: '{}' });
    const [{ path, headers } = { path: '', headers: {} }] = carried;
    expect(path).toMatch(
      new RegExp(`^/paper_binance/api/v3/account\\?timestamp=${NOW}&omitZeroBalances=true&recvWindow=5000&signature=`),
    );
    expect(headers['X-MBX-APIKEY']).toBe(KEY);
  });

  it('shows no key where nobody has to be known', async () => {
    await api.read('ticker', { symbol: 'BTCUSDT' });
    expect(carried).toEqual([{ path: '/paper_binance/api/v3/ticker/24hr?symbol=BTCUSDT', headers: {} }]);
    expect(api.unthrottled('public', 'time').path).toBe('/paper_binance/api/v3/time');
  });

  it('keeps text that means something in an address from meaning it', () => {
    const { path } = api.order('DELETE', {
      symbol: '币安人生USDT',
      origClientOrderId: 'a&symbol=B#?',
      timestamp: '1',
      recvWindow: '1',
    });
    expect(new URLSearchParams(path.split('?')[1]).getAll('symbol')).toEqual(['币安人生USDT']);
  });
});

describe('what ccxt does with requests', () => {
  it('is to carry each once, also one that fails', async () => {
    let tries = 0;
    const failing = make({
      carry: () => {
        tries += 1;
        return Promise.reject(new Error('cut'));
      },
    });
    await expect(failing.read('depth', { symbol: 'BTCUSDT' })).rejects.toThrow('cut');
    expect(tries).toBe(1);
  });

  it('is to let reads wait for their turn, and nothing else', async () => {
    const reads = Array.from({ length: 12 }, () => api.read('exchangeInfo'));
    const started = performance.now();
    for (let index = 0; index < 12; index += 1) {
      api.order('DELETE', { symbol: 'BTCUSDT', origClientOrderId: String(index), timestamp: '1', recvWindow: '1' });
    }
    await Promise.resolve();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(carried.length).toBeLessThan(12);
    await Promise.all(reads);
    // 20 of Binance's weight each, and 90 of that a second; the first is free.
    expect(performance.now() - started).toBeGreaterThan(1_500);
    expect(carried).toHaveLength(12);
  });

  it('is to let a read that comes after a pause go at once, whatever the one before it weighed', async () => {
    await api.read('openOrders');
    const waiting = api.read('ticker');
    await turn();
    expect(carried).toHaveLength(1);
    await waiting;
    await api.read('openOrders');
    const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 2_000);
    const next = api.read('ticker');
    await turn();
    now.mockRestore();
    expect(carried).toHaveLength(4);
    await next;
  });

  it('is to let reads weigh as much in a minute as it was told', async () => {
    const [slow, fast] = [make({ read_weight_per_minute: 600 }), make({ read_weight_per_minute: 1_000_000 })];
    await slow.read('exchangeInfo');
    const waiting = slow.read('ticker');
    await Promise.all(Array.from({ length: 12 }, () => fast.read('exchangeInfo')));
    expect(carried.filter(({ path }) => path.includes('ticker'))).toEqual([]);
    slow.release();
    await waiting;
    expect(carried).toHaveLength(14);
  });

  it('leads nowhere but to the address it was given', async () => {
    for (const name of ['exchangeInfo', 'klines', 'depth', 'openOrders', 'order', 'myTrades'] as const)
      await api.read(name);
    for (const { path } of carried) expect(path.startsWith('/paper_binance/api/v3/')).toBe(true);
    expect(make({ base_url: 'http://127.0.0.1:9' }).order('POST', {}).path).toBe('/api/v3/order');
  });

  it('shows no secret to whoever prints it', () => {
    const printed = `${inspect(api, { depth: 9, showHidden: true })}${JSON.stringify(api)}`;
    expect(printed).not.toContain(KEY);
    expect(printed).not.toContain(SECRET);
  });
});
