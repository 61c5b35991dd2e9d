/** The listener to a user data stream, at a venue on this machine that says what a test has it say. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketServer, type WebSocket } from 'ws';
import { BinanceStream } from '../../src/venues/binance-stream';
import { Secret } from '../../src/secret';
import { until } from '../support/until';

const KEY = 'planted-key-4411';
const SECRET = 'planted-secret-4411';

let server: WebSocketServer;
let stream: BinanceStream;
let asked: Record<string, unknown>[];
let lines: string[];
/** What it answers to a subscription. */
let answer: object;

const listen = async (port = 0): Promise<void> => {
  server = new WebSocketServer({ host: '127.0.0.1', port });
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      asked.push(JSON.parse((data as Buffer).toString('utf8')) as Record<string, unknown>);
      socket.send(JSON.stringify(answer));
    });
  });
  await once(server, 'listening');
};
const closed = async (): Promise<void> => {
  server.close();
  await once(server, 'close');
};
const portOf = () => (server.address() as AddressInfo).port;
const connected = (): WebSocket[] => [...server.clients];
const say = (event: object): void => {
  for (const socket of connected()) socket.send(JSON.stringify({ subscriptionId: 0, event }));
};
const ended = (c: string, rest: object = {}) => ({ e: 'executionReport', c, C: '', X: 'FILLED', ...rest });
const streamAt = (port: number, base_url = `http://127.0.0.1:${port}/made`) =>
  new BinanceStream({
    ...{ profile: 'made', base_url, retry_ms: 10, now: () => 1_700_000_000_000 },
    credentials: { key: new Secret(KEY), secret: new Secret(SECRET) },
    log: {
      info: (fields, line) => lines.push(JSON.stringify({ ...fields, line })),
      warn: (fields, line) => lines.push(JSON.stringify({ ...fields, line })),
    },
  });
const told = (line: string) => lines.filter((each) => each.includes(line));
const subscribed = (times: number) => until('it has subscribed', () => told('venue_stream_opened').length >= times);

beforeEach(async () => {
  [asked, lines, answer] = [[], [], { id: 'subscribe', status: 200, result: { subscriptionId: 0 } }];
  await listen();
  stream = streamAt(portOf());
});
afterEach(async () => {
  stream.close();
  for (const socket of connected()) socket.terminate();
  await closed();
});

it('opens nothing until an order is watched, and one connection for all of them', async () => {
  expect(connected()).toEqual([]);
  stream.watch('a', () => undefined);
  stream.watch('b', () => undefined);
  await subscribed(1);
  stream.watch('c', () => undefined);
  expect([connected().length, asked.length]).toEqual([1, 1]);
  expect(asked[0]).toMatchObject({
    method: 'userDataStream.subscribe.signature',
    params: { apiKey: KEY, timestamp: '1700000000000', recvWindow: '60000' },
  });
});

describe('who watches an order', () => {
  let heard: string[];
  const watch = (id: string) => stream.watch(id, () => heard.push(id));
  beforeEach(() => {
    heard = [];
  });

  it('is told of its end, once, and of nobody else’s', async () => {
    watch('a');
    watch('b');
    await subscribed(1);
    say(ended('a', { X: 'NEW' }));
    say(ended('a', { X: 'PARTIALLY_FILLED' }));
    say(ended('other'));
    say(ended('a'));
    say(ended('a'));
    say(ended('b', { X: 'EXPIRED' }));
    await until('the last one is told', () => heard.includes('b'));
    expect(heard).toEqual(['a', 'b']);
  });

  it('is told of a cancel, which goes by an id of its own', async () => {
    watch('a');
    await subscribed(1);
    say(ended('taken-back', { C: 'a', X: 'CANCELED' }));
    await until('it is told', () => heard.length > 0);
    expect(heard).toEqual(['a']);
  });

  it('is told nothing any more once it has stopped, while others are', async () => {
    const stop = watch('a');
    stream.watch('a', () => heard.push('a too'));
    watch('b');
    await subscribed(1);
    stop();
    say(ended('a'));
    say(ended('b'));
    await until('the last one is told', () => heard.includes('b'));
    expect(heard).toEqual(['a too', 'b']);
  });

  it('is not disturbed by what cannot be read', async () => {
    watch('a');
    await subscribed(1);
    for (const socket of connected()) {
      for (const text of [
        '',
        'no JSON',
        '[]',
        'null',
        '{"event": 1}',
        '{"event": {"e": "executionReport", "X": "FILLED"}}',
      ])
        socket.send(text);
    }
    say(ended('a'));
    await until('it is told', () => heard.length > 0);
    expect(told('venue_stream_lost')).toEqual([]);
  });

  it('is told on after a break, which is one line however often it cannot be mended', async () => {
    watch('a');
    await subscribed(1);
    const port = portOf();
    for (const socket of connected()) socket.terminate();
    await closed();
    await until('it is noticed', () => told('venue_stream_lost').length === 1);
    await listen(port);
    await subscribed(2);
    say(ended('a'));
    await until('it is told', () => heard.length > 0);
    expect(told('venue_stream_lost')).toHaveLength(1);
  });

  it.each(['eventStreamTerminated', 'serverShutdown'])('is told on when the venue takes its leave by %s', async (e) => {
    watch('a');
    await subscribed(1);
    say({ e });
    await subscribed(2);
    say(ended('a'));
    await until('it is told', () => heard.length > 0);
  });
});

it('is opened no more after a break when nobody watches', async () => {
  const stop = stream.watch('a', () => undefined);
  await subscribed(1);
  stop();
  for (const socket of connected()) socket.terminate();
  await until('it is noticed', () => told('venue_stream_lost').length === 1);
  expect(connected()).toEqual([]);
  stream.watch('b', () => undefined);
  await subscribed(2);
});

it('is opened no more after its end', async () => {
  stream.watch('a', () => undefined);
  await subscribed(1);
  stream.close();
  await until('it is gone', () => connected().length === 0);
  stream.watch('b', () => undefined);
  expect([connected().length, told('venue_stream_lost').length]).toEqual([0, 0]);
});

it('says the code of a refusal and no word of the venue, which repeats what it was sent', async () => {
  answer = { id: 'subscribe', status: 400, error: { code: -2015, msg: `Invalid ${KEY} ${SECRET}` } };
  stream.watch('a', () => undefined);
  await until('it has tried more than once', () => asked.length > 2);
  expect(told('venue_stream_refused')[0]).toBe('{"venue":"made","code":"-2015","line":"venue_stream_refused"}');
  expect(lines.join()).not.toMatch(/planted|signature|127\.0\.0\.1/);
});

it('says why it could not be opened, without the address', async () => {
  stream.close();
  const port = portOf();
  await closed();
  stream = streamAt(port);
  stream.watch('a', () => undefined);
  await until('it is said', () => told('venue_stream_lost').length === 1);
  expect(lines).toEqual(['{"venue":"made","why":"ECONNREFUSED","line":"venue_stream_lost"}']);
  await listen(port);
});
