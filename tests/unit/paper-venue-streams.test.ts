/** What an account is told of its orders as they change, and what goes wrong on the way to who listens. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { Faults, type FaultSettings } from '../../src/paper-venue/faults';
import type { BookEvent } from '../../src/paper-venue/orders';
import { accountOfParameters } from '../../src/paper-venue/signature';
import { StreamOutbox } from '../../src/paper-venue/stream-outbox';
import { userEvents } from '../../src/paper-venue/user-events';
import { UserStreams } from '../../src/paper-venue/user-streams';
import { PaperWorld } from '../support/paper-market';
import { until } from '../support/until';

describe('an account is told', () => {
  let world: PaperWorld;
  let told: Record<string, unknown>[];
  beforeEach(() => {
    told = [];
    world = new PaperWorld(undefined, undefined, (event: BookEvent) => {
      // The deposit, before there is a world.
      if (event.type === 'deposited') return;
      const { wall_ms } = world.now;
      const events = userEvents(event, { books: world.books, market: world.market, now_ms: wall_ms })?.events ?? [];
      told.push(...(events as Record<string, unknown>[]));
    });
  });
  const reports = () => told.filter(({ e }) => e === 'executionReport');
  const inShort = () => reports().map(({ c, C, x, X, l, z, w }) => [C === '' ? c : C, x, X, l, z, w].join(' '));

  it('of an order that rests and is filled in parts, with every field Binance documents', () => {
    world.place({ client_order_id: 'rests', quantity: '2.5', price: '96.5' });
    world.pass(2);
    expect(inShort()).toEqual([
      'rests NEW NEW 0.00000000 0.00000000 true',
      'rests TRADE PARTIALLY_FILLED 1.00000000 1.00000000 true',
    ]);
    expect(reports()[1]).toEqual({
      ...{ e: 'executionReport', E: 1_000_002, s: 'BTCUSDT', c: 'rests', S: 'BUY', o: 'LIMIT', f: 'GTC' },
      ...{ q: '2.50000000', p: '96.50000000', P: '0.00000000', F: '0.00000000', g: -1, C: '', x: 'TRADE' },
      ...{ X: 'PARTIALLY_FILLED', r: 'NONE', i: 1, l: '1.00000000', z: '1.00000000', L: '96.50000000' },
      ...{ n: '0.00100000', N: 'BTC', T: 1_000_002, t: 1, I: 4, w: true, m: true, M: false, O: 1_000_000 },
      ...{ Z: '96.50000000', Y: '96.50000000', Q: '0.00000000', W: 1_000_000, V: 'NONE' },
    });
  });

  it('of both balances after each change', () => {
    world.place({ quantity: '2.5', price: '96.5' });
    world.pass(2);
    const positions = told.filter(({ e }) => e === 'outboundAccountPosition');
    expect(positions.map(({ B }) => B)).toEqual([
      [
        { a: 'BTC', f: '50.00000000', l: '0.00000000' },
        { a: 'USDT', f: '9758.75000000', l: '241.25000000' },
      ],
      [
        { a: 'BTC', f: '50.99900000', l: '0.00000000' },
        { a: 'USDT', f: '9758.75000000', l: '144.75000000' },
      ],
    ]);
  });

  it('of a cancel under its own id, with the order’s beside it', () => {
    const order = world.place({ client_order_id: 'rests', quantity: '1', price: '90' });
    world.engine.cancel(order, world.now, { cancel_id: 'taken-back' });
    expect(reports()[1]).toMatchObject({ c: 'taken-back', C: 'rests', x: 'CANCELED', X: 'CANCELED', w: false });
  });

  it('of what a market order gets at once, and of the end of its rest', () => {
    world.place({ client_order_id: 'all', type: 'MARKET', time_in_force: 'IOC', quantity: '0.6' });
    world.place({ client_order_id: 'much', type: 'MARKET', time_in_force: 'IOC', quantity: '40' });
    const [first, , third, ...others] = inShort();
    expect([first, third]).toEqual([
      'all NEW NEW 0.00000000 0.00000000 true',
      'all TRADE FILLED 0.10000000 0.60000000 false',
    ]);
    expect(others.at(-1)).toMatch(/^much EXPIRED EXPIRED 0\.00000000 9\.\d+ false$/);
  });

  it('of a stop order that begins to work, and of the fill that follows', () => {
    world.place({ client_order_id: 'stop', type: 'STOP_LOSS', side: 'SELL', quantity: '0.1', stop_price: '97' });
    world.pass(2);
    expect(inShort()).toEqual([
      'stop NEW NEW 0.00000000 0.00000000 false',
      'stop NEW NEW 0.00000000 0.00000000 true',
      'stop TRADE FILLED 0.10000000 0.10000000 false',
    ]);
  });

  it('of a fill from before a cancel after it', () => {
    const order = world.place({ client_order_id: 'late', quantity: '1', price: '90' });
    world.engine.cancel(order, world.now, { late_ms: 0 });
    world.pass();
    expect(inShort().slice(1)).toEqual([
      'late CANCELED CANCELED 0.00000000 0.00000000 false',
      'late TRADE CANCELED 0.50000000 0.50000000 false',
    ]);
  });
});

describe('a request by WebSocket', () => {
  const accounts = [{ name: 'main', key: 'k', secret: 's' }];
  const signed = (params: Record<string, string>, payload: string) =>
    new URLSearchParams({ ...params, signature: createHmac('sha256', 's').update(payload).digest('hex') });

  it('is signed over its parameters in the order of their names, whatever order they come in', () => {
    const given = signed({ timestamp: '5', apiKey: 'k' }, 'apiKey=k&timestamp=5');
    expect(accountOfParameters(given, accounts).name).toBe('main');
    const wrong = signed({ timestamp: '5', apiKey: 'k' }, 'timestamp=5&apiKey=k');
    expect(() => accountOfParameters(wrong, accounts)).toThrow(/Signature/);
    expect(() => accountOfParameters(new URLSearchParams({ apiKey: 'k' }), accounts)).toThrow(/'signature'/);
    expect(() => accountOfParameters(new URLSearchParams({ apiKey: 'x' }), accounts)).toThrow(/Invalid API-key/);
    expect(() => accountOfParameters(new URLSearchParams(), accounts)).toThrow(/API-key format/);
  });
});

/** A socket that takes everything at once. */
class Listener {
  readonly bufferedAmount = 0;
  readonly heard: string[] = [];
  isCut = false;
  send(text: string): void {
    this.heard.push(text);
  }
  terminate(): void {
    this.isCut = true;
  }
}

describe('what goes wrong with a stream', () => {
  const opened = (settings: FaultSettings) => {
    const [faults, listener] = [new Faults(1, settings), new Listener()];
    return { faults, listener, outbox: new StreamOutbox(listener, faults) };
  };

  it('cuts it in place of an event', () => {
    const { listener, outbox } = opened({ stream_cut: { next: 1 } });
    outbox.push('a');
    expect([listener.isCut, listener.heard]).toEqual([true, []]);
  });

  it('repeats an event', () => {
    const { listener, outbox } = opened({ stream_duplicate: { next: 1 } });
    outbox.push('a');
    outbox.push('b');
    expect(listener.heard).toEqual(['a', 'a', 'b']);
  });

  it('keeps events back until it is over, in their order', () => {
    const { faults, listener, outbox } = opened({ stream_hold: true });
    outbox.push('a');
    outbox.push('b');
    expect(listener.heard).toEqual([]);
    faults.change({ stream_hold: null });
    outbox.flush();
    expect(listener.heard).toEqual(['a', 'b']);
  });

  it('strikes by a chance that repeats', () => {
    const heard = [1, 2].map(() => {
      const { listener, outbox } = opened({ stream_duplicate: { probability: 0.5 } });
      for (const text of 'abcdefghij') outbox.push(text);
      return listener.heard.join('');
    });
    expect(heard[0]).toBe(heard[1]);
    expect(heard[0]!.length).toBeGreaterThan(10);
    expect(heard[0]!.length).toBeLessThan(20);
  });

  describe('by a clock', () => {
    beforeEach(() => {
      jest.useFakeTimers();
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it('delays an event and all behind it', () => {
      const { listener, outbox } = opened({ stream_delay_ms: { next: 1, ms: 1_000 } });
      outbox.push('a');
      outbox.push('b');
      jest.advanceTimersByTime(999);
      expect(listener.heard).toEqual([]);
      jest.advanceTimersByTime(2);
      expect(listener.heard).toEqual(['a', 'b']);
    });

    it('sends nothing of it after its end', () => {
      const { listener, outbox } = opened({ stream_delay_ms: { next: 1, ms: 1_000 } });
      outbox.push('a');
      outbox.close();
      jest.advanceTimersByTime(5_000);
      expect(listener.heard).toEqual([]);
    });
  });
});

describe('who listens and does not read', () => {
  it('is cut when too many events wait', () => {
    const [faults, listener] = [new Faults(1, { stream_hold: true }), new Listener()];
    const outbox = new StreamOutbox(listener, faults);
    for (let sent = 0; sent < 1_000; sent += 1) outbox.push('a');
    expect(listener.isCut).toBe(false);
    outbox.push('a');
    expect(listener.isCut).toBe(true);
  });

  it('is cut when too much is unread, and who reads does not notice', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const streams = new UserStreams(new Faults(1));
    server.on('connection', (socket) => {
      const end = streams.subscribe('main', 0, socket);
      socket.on('close', end);
    });
    // It asks for the upgrade and reads nothing from then on.
    const deaf = connect(port, '127.0.0.1').pause();
    deaf.on('error', () => undefined);
    deaf.write(
      `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
    );
    await until('it listens', () => streams.listeners['main'] === 1);
    const reader = new WebSocket(`ws://127.0.0.1:${port}`);
    let heard = 0;
    reader.on('message', () => (heard += 1));
    await until('both listen', () => streams.listeners['main'] === 2);
    let told = 0;
    await until('the deaf one is cut', () => {
      for (let each = 0; each < 50; each += 1) streams.tell('main', [{ e: 'x'.repeat(10_000) }]);
      told += 50;
      return streams.listeners['main'] === 1;
    });
    await until('the other one has heard all', () => heard === told);
    reader.terminate();
    deaf.destroy();
    server.close();
  });
});
