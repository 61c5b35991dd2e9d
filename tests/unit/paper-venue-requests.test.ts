import { createHmac } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Faults } from '../../src/paper-venue/faults';
import { JournalFile } from '../../src/paper-venue/journal-file';
import { readOrder } from '../../src/paper-venue/order-parameters';
import type { BookEvent } from '../../src/paper-venue/orders';
import { accountOf, assertNotLate, assertTimely, readWindow } from '../../src/paper-venue/signature';
import { parseQuotes } from '../../src/venues/quote-file';

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return `${code} ${message}`;
  }
  return 'accepted';
};
const form = (parameters: Readonly<Record<string, string>>) => new URLSearchParams(parameters);

describe('a signature', () => {
  const accounts = [
    { name: 'main', key: 'k1', secret: 's1' },
    { name: 'other', key: 'k2', secret: 's2' },
  ];
  const sign = (payload: string, secret: string) => createHmac('sha256', secret).update(payload).digest('hex');

  it('holds for query and body put together, wherever it stands in them', () => {
    const signature = sign('symbol=AB&x=1side=BUY', 's2');
    const key = 'k2';
    const asked = [
      { key, query: 'symbol=AB&x=1', body: `side=BUY&signature=${signature}` },
      { key, query: `symbol=AB&x=1&signature=${signature.toUpperCase()}`, body: 'side=BUY' },
    ];
    expect(asked.map((each) => accountOf(each, accounts).name)).toEqual(['other', 'other']);
  });

  it.each([
    ['without a key', { key: undefined, query: '', body: '' }, -2014],
    ['with a key nobody has', { key: 'k3', query: '', body: '' }, -2015],
    ['that is missing', { key: 'k1', query: 'a=1', body: '' }, -1102],
    ['of another account', { key: 'k1', query: `a=1&signature=${sign('a=1', 's2')}`, body: '' }, -1022],
    ['of other words', { key: 'k1', query: `a=2&signature=${sign('a=1', 's1')}`, body: '' }, -1022],
    ['cut short', { key: 'k1', query: `a=1&signature=${sign('a=1', 's1').slice(0, 63)}`, body: '' }, -1022],
  ])('%s is refused', (_, asked, code) => {
    expect(refusal(() => accountOf(asked, accounts))).toMatch(new RegExp(`^${code} `));
  });
});

describe('the window of a request', () => {
  const window = (timestamp: number, window_ms = 5_000) => ({ timestamp, window_ms });

  it('is open from less than a second before the venue’s clock to its length behind it, and nowhere else', () => {
    fc.assert(
      fc.property(fc.integer({ min: -70_000, max: 5_000 }), fc.integer({ min: 0, max: 60_000 }), (offset, width) => {
        const isOpen = offset < 1_000 && -offset <= width;
        expect(
          refusal(() => {
            assertTimely(window(1e12 + offset, width), 1e12);
          }) === 'accepted',
        ).toBe(isOpen);
        const isStillOpen = -offset <= width;
        expect(
          refusal(() => {
            assertNotLate(window(1e12 + offset, width), 1e12);
          }) === 'accepted',
        ).toBe(isStillOpen);
      }),
    );
  });

  it('names what is wrong as Binance does', () => {
    expect(
      refusal(() => {
        assertTimely(window(1_001_000), 1_000_000);
      }),
    ).toBe("-1021 Timestamp for this request was 1000ms ahead of the server's time.");
    expect(
      refusal(() => {
        assertTimely(window(994_999), 1_000_000);
      }),
    ).toBe('-1021 Timestamp for this request is outside of the recvWindow.');
  });

  it('is five seconds unless another is asked for, of which whole milliseconds count', () => {
    expect(readWindow(form({ timestamp: '17' }))).toEqual(window(17));
    expect(readWindow(form({ timestamp: '17', recvWindow: '250.5' }))).toEqual(window(17, 250));
  });

  it.each([
    ['no timestamp', {}, -1102],
    ['a timestamp that is none', { timestamp: '1.5' }, -1102],
    ['a window that is none', { timestamp: '1', recvWindow: '-1' }, -1100],
    ['a window beyond a minute', { timestamp: '1', recvWindow: '60000.001' }, -1131],
  ])('is refused with %s', (_, parameters, code) => {
    expect(refusal(() => readWindow(form(parameters)))).toMatch(new RegExp(`^${code} `));
  });
});

describe('an order in the dialect', () => {
  const read = (parameters: Readonly<Record<string, string>>) => readOrder(form(parameters), 'main', 'own');
  const limit = { side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '2' };

  it('is read with the names it was given, or one of the venue', () => {
    expect(read(limit)).toMatchObject({ account: 'main', client_order_id: 'own', time_in_force: 'GTC' });
    expect(read({ ...limit, newClientOrderId: 'x-1' }).client_order_id).toBe('x-1');
    expect(read({ side: 'SELL', type: 'MARKET', quantity: '1' }).time_in_force).toBe('IOC');
  });

  it.each([
    ['without a side', { type: 'LIMIT' }, '-1102', 'side'],
    ['with another side', { ...limit, side: 'buy' }, '-1117', ''],
    ['with another type', { ...limit, type: 'toString' }, '-1116', ''],
    ['with another time in force', { ...limit, timeInForce: 'GTX' }, '-1115', ''],
    ['without a price', { ...limit, price: '' }, '-1102', 'price'],
    ['with a price it has no use for', { side: 'BUY', type: 'MARKET', quantity: '1', price: '2' }, '-1106', 'price'],
    ['without any quantity', { side: 'BUY', type: 'MARKET' }, '-1102', 'quantity'],
    [
      'with two quantities',
      { side: 'BUY', type: 'MARKET', quantity: '1', quoteOrderQty: '1' },
      '-1106',
      'quoteOrderQty',
    ],
    ['with a quantity that is none', { ...limit, quantity: '1e3' }, '-1100', 'quantity'],
    ['with nine digits', { ...limit, price: '1.123456789' }, '-1111', 'price'],
    ['with an id of too many letters', { ...limit, newClientOrderId: 'x'.repeat(37) }, '-1100', 'newClientOrderId'],
  ])('%s is refused', (_, parameters, code, name) => {
    expect(refusal(() => read(parameters))).toMatch(new RegExp(`^${code} .*${name}`));
  });
});

describe('faults', () => {
  const strikes = (faults: Faults, times: number) =>
    Array.from({ length: times }, () => faults.strike('drop_after', 'submit') !== undefined);

  it('strike the next requests of their kind and no other', () => {
    const faults = new Faults(1, { drop_after: { next: 2 } });
    expect(faults.strike('drop_after', 'query')).toBeUndefined();
    expect(faults.strike('drop_before', 'submit')).toBeUndefined();
    expect(strikes(faults, 4)).toEqual([true, true, false, false]);
  });

  it('strike by chance, and the same ones for the same seed', () => {
    const seen = [7, 7, 8].map((seed) => strikes(new Faults(seed, { drop_after: { probability: 0.3 } }), 1_000));
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).not.toEqual(seen[2]);
    const share = seen[0]!.filter(Boolean).length / 1_000;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.35);
    expect(strikes(new Faults(7, { drop_after: { probability: 1 } }), 100).every(Boolean)).toBe(true);
  });

  it('stay as they are until they are named, and end by null', () => {
    const faults = new Faults(1, { stale_book: true, drop_after: { probability: 1 } });
    faults.change({ clock_skew_ms: -250 });
    expect([faults.isStale, faults.clock_skew_ms, strikes(faults, 1)]).toEqual([true, -250, [true]]);
    faults.change({ stale_book: null, drop_after: null });
    expect([faults.isStale, strikes(faults, 1)]).toEqual([false, [false]]);
  });

  it.each([{ drop_aftr: { next: 1 } }, { drop_after: { next: -1 } }, { refuse_cancel: { on: ['query'] } }, 'all'])(
    'that are none are refused: %j',
    (settings) => {
      const faults = new Faults(1);
      expect(() => faults.change(settings)).toThrow();
      expect(faults.settings).toEqual({});
    },
  );
});

describe('the journal', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'paper-venue-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const deposit = (amount: string): BookEvent => ({ type: 'deposited', account: 'main', asset: 'BTC', amount });
  const readAll = (path: string) => {
    const { journal, events } = JournalFile.open(path);
    journal.close();
    return events;
  };

  it('gives back what was kept, without a line that was not written to its end, and goes on behind it', () => {
    const path = join(folder, 'torn.jsonl');
    const first = JournalFile.open(path);
    first.journal.keep([deposit('1'), deposit('2')]);
    first.journal.close();
    appendFileSync(path, '[{"type":"depo');
    const second = JournalFile.open(path);
    expect(second.events).toEqual([deposit('1'), deposit('2')]);
    second.journal.keep([deposit('3')]);
    second.journal.close();
    expect(readAll(path)).toEqual([deposit('1'), deposit('2'), deposit('3')]);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
  });

  it('that is damaged is named, not guessed at', () => {
    const path = join(folder, 'damaged.jsonl');
    writeFileSync(path, '[]\n{,\n[]\n');
    expect(() => readAll(path)).toThrow(/damaged, .*damaged\.jsonl:2/);
  });
});

describe('recorded quotes', () => {
  const header =
    'open_time_ms,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size';

  it('are the best prices at the end of each minute', () => {
    expect(parseQuotes(`${header}\n60000,1,1,1,1.5,7,2,2,2,2.5,8\n`, 'q.csv')).toEqual([
      { open_time_ms: 60_000, bid: '1.5', bid_quantity: '7', ask: '2.5', ask_quantity: '8' },
    ]);
  });

  it.each([
    ['another header', 'open_time_ms\n1', 1],
    ['a value too few', `${header}\n60000,1,1,1,1,1,1,1,1,1`, 2],
    ['a minute twice', `${header}\n1,1,1,1,1,1,1,1,1,1,1\n1,1,1,1,1,1,1,1,1,1,1`, 3],
  ])('with %s are refused, naming the line', (_, text, line) => {
    expect(() => parseQuotes(text, 'q.csv')).toThrow(`The recorded market q.csv is damaged in line ${line}.`);
  });
});
