import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Backlog } from '../../src/gateway/backlog';

/** An engine's session whose transport takes what it is told to take. */
class Engine extends EventEmitter {
  readyState = 'open';
  readonly socket = { bufferedAmount: 0, terminated: false, terminate: () => (this.socket.terminated = true) };
  readonly transport = { socket: this.socket };
  #queue: { data: string }[] = [];

  send(data: string): void {
    const packet = { data };
    this.#queue.push(packet);
    this.emit('packetCreate', packet);
  }

  flush(): void {
    this.socket.bufferedAmount += this.#queue.reduce((sum, { data }) => sum + data.length, 0);
    this.emit('flush', this.#queue);
    this.#queue = [];
  }

  close(): void {
    this.readyState = 'closed';
  }
}

let engine: Engine;
let backlog: Backlog;

beforeEach(() => {
  engine = new Engine();
  backlog = new Backlog(engine, { unread: 10, stalled_ms: 4_000 });
});

describe('what waits for a client', () => {
  it('is what is queued and what was handed over, until the kernel has taken it', () => {
    engine.send('12345');
    expect(backlog.size).toBe(5);
    engine.flush();
    engine.send('678');
    expect(backlog.size).toBe(8);
    engine.socket.bufferedAmount = 0;
    expect(backlog.size).toBe(3);
  });

  it('is too much beyond its limit', () => {
    engine.send('1234567890');
    expect(backlog.isFull).toBe(false);
    engine.send('1');
    expect(backlog.isFull).toBe(true);
  });

  it('may be more when it was asked for, until that has gone', () => {
    backlog.sendAsked(() => {
      engine.send('x'.repeat(30));
    });
    engine.send('1234567890');
    expect([backlog.size, backlog.isFull, backlog.isBusy]).toEqual([40, false, false]);
    engine.send('1');
    expect([backlog.isFull, backlog.isBusy]).toEqual([true, true]);
    engine.flush();
    engine.socket.bufferedAmount = 0;
    expect(backlog.isFull).toBe(false);
    engine.send('x'.repeat(11));
    expect(backlog.isFull).toBe(true);
  });

  it('stalls when none of it goes for so long, and not while some goes', () => {
    engine.send('12345');
    engine.flush();
    expect([0, 3_999].map((now) => backlog.isStalled(now))).toEqual([false, false]);
    engine.socket.bufferedAmount = 4;
    expect([4_000, 7_999].map((now) => backlog.isStalled(now))).toEqual([false, false]);
    expect(backlog.isStalled(8_000)).toBe(true);
  });

  it('never stalls when there is nothing', () => {
    engine.send('12345');
    engine.flush();
    backlog.isStalled(0);
    engine.socket.bufferedAmount = 0;
    expect([5_000, 50_000].map((now) => backlog.isStalled(now))).toEqual([false, false]);
    engine.send('1');
    expect(backlog.isStalled(60_000)).toBe(false);
  });

  it('is thrown away with the connection when it is cut', () => {
    backlog.cut();
    expect([engine.readyState, engine.socket.terminated]).toEqual(['closed', true]);
  });

  it('is counted by the queue alone for a transport that keeps none, such as polling', () => {
    const polling = Object.assign(new EventEmitter(), { transport: {}, close: () => undefined });
    const of = new Backlog(polling, { unread: 10, stalled_ms: 4_000 });
    polling.emit('packetCreate', { data: '123' });
    polling.emit('packetCreate', {});
    expect(of.size).toBe(3);
    of.cut();
  });
});
