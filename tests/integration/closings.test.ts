import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { closingOf, type Closing } from '../../src/emergency/closing';
import { ClosingPublisher, ClosingSubscriber } from '../../src/event-log';
import { signClosing } from '../../src/event-log/closings';
import { closingsChannel } from '../../src/event-log/keys';
import { GateKeeper } from '../../src/worker/gate-keeper';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { held, ScriptedDesk } from '../support/scripted-desk';
import { until } from '../support/until';

const KEY = 'k'.repeat(32);
const DESK = 'default';
let redis: OwnRedis;
let desk: ScriptedDesk;
let keeper: GateKeeper;
let publisher: ClosingPublisher;
let subscriber: ClosingSubscriber;
let gaps: { readonly why: string; readonly at: number }[];
let ordinal = 0;

const isOpen = (scope = 'global') => keeper.mayTrade([scope]).open;
const opens = (what: string, scope?: string) => until(what, () => isOpen(scope));
const next = (rest: Partial<Closing> = {}): Closing => {
  const command = { action: 'halt', scope: 'global', reason: 'drill', actor: 'kim' } as const;
  const command_id = `c${(ordinal += 1)}`;
  return { ...closingOf({ ...command, command_id }, { desk: DESK, issued_at: Date.now() }), ...rest };
};
/** As anyone could who reaches Redis. */
async function publishRaw(...texts: string[]): Promise<void> {
  const raw = new Redis(redis.url);
  for (const text of texts) await raw.publish(closingsChannel(DESK), text);
  raw.disconnect();
}

beforeEach(async () => {
  redis = await startOwnRedis();
  desk = new ScriptedDesk();
  gaps = [];
  keeper = new GateKeeper({ port: desk });
  publisher = new ClosingPublisher(redis.url, KEY);
  subscriber = new ClosingSubscriber({
    ...{ url: redis.url, desk: DESK, key: KEY },
    onClosing: (closing) => {
      keeper.onClosing(closing);
    },
    onLive: () => {
      keeper.onLive();
    },
    onBeat: () => {
      keeper.onBeat();
    },
    onGap: (why) => {
      gaps.push({ why, at: performance.now() });
      keeper.onGap();
    },
  });
  await opens('the first reading');
});

afterEach(async () => {
  redis.thaw();
  subscriber.close();
  publisher.close();
  keeper.close();
  await redis.stop();
});

describe('closings over Redis', () => {
  it('close a gate at once, and the desk’s answer opens it', async () => {
    const times: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const scope = `bot:b${i}`;
      const closing = next({ scope });
      const began = performance.now();
      const published = publisher.publish(closing);
      while (isOpen(scope)) await new Promise(setImmediate);
      times.push(performance.now() - began);
      expect(await published).toBe(1);
      desk.known.add(closing.command_id);
    }
    times.sort((a, b) => a - b);
    const [p50 = NaN, p99 = NaN, most = NaN] = [times[500], times[990], times[999]];
    process.stdout.write(`closing: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, most ${most.toFixed(2)} ms\n`);
    // How fast is a matter of benchmarks: that each was closed by its closing, the loop above has seen.
    await opens('the last one', 'bot:b999');
  });

  it('arrive twice and change nothing the second time', async () => {
    const closing = next();
    await publisher.publish(closing);
    await until('closed', () => !isOpen());
    desk.known.add(closing.command_id);
    await opens('the desk knows it');
    await publisher.publish(closing);
    await until('both were heard', () => subscriber.counts.heard === 2);
    expect(isOpen()).toBe(true);
  });

  it('that are forged, late, too large, for another desk or no closings at all are counted and close nothing', async () => {
    const forged = { ...signClosing(next({ scope: 'bot:a' }), KEY), scope: 'global' };
    const late = signClosing(next({ issued_at: Date.now() - 31_000 }), KEY);
    const early = signClosing(next({ issued_at: Date.now() + 40_000 }), KEY);
    const large = signClosing(next({ reason: 'x'.repeat(5_000) }), KEY);
    const foreign = signClosing(next({ desk: 'other' }), KEY);
    const texts = [forged, late, early, large, foreign].map((each) => JSON.stringify(each));
    await publishRaw(...texts, 'halt!', '{}', 'null');
    await until('all were heard', () => Object.values(subscriber.counts).reduce((a, b) => a + b) === 8);
    expect(subscriber.counts).toEqual({ heard: 0, forged: 2, late: 2, oversized: 1, unreadable: 3 });
    expect(isOpen()).toBe(true);
  });

  it('whose commander died are delivered by whoever heard them', async () => {
    const closing = next();
    const began = performance.now();
    await publisher.publish(closing);
    await until('the command was delivered', () => desk.delivered.length === 1);
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(desk.delivered[0]).toMatchObject({ action: 'halt', command_id: closing.command_id, scope: 'global' });
    expect(keeper.mayTrade([])).toMatchObject({ open: false, reason: 'drill', epoch: 1_001 });
    desk.resume('global');
    await opens('the resume');
  });
});

describe('a gate whose Redis fails', () => {
  it('is closed at once when Redis is killed, until the desk was read; and reads it again when closings are heard again', async () => {
    const { wait, release } = held();
    desk.beforeRead = wait;
    await redis.kill();
    await until('the gap is noticed', () => !isOpen());
    expect(gaps).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isOpen()).toBe(false);
    desk.beforeRead = () => Promise.resolve();
    release();
    await opens('the desk was read');
    desk.halt('global');
    await until('it follows the desk alone', () => !isOpen());
    desk.resume('global');
    await opens('the resume');
    await redis.start();
    const closing = next();
    await until(
      'closings are heard again',
      async () => (await publisher.publish(closing).catch(() => 0)) === 1,
      10_000,
    );
    await until('closed', () => !isOpen());
  });

  it('notices within three seconds that Redis hangs, although nothing closes', async () => {
    const { wait } = held();
    redis.freeze();
    desk.beforeRead = wait;
    const began = performance.now();
    await until('the gap is noticed', () => !isOpen());
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(gaps[0]?.why).toMatch(/did not answer within/);
  });

  it('does not act on what a hung Redis says when it goes on, before the desk was read', async () => {
    redis.freeze();
    await until('the gap is noticed', () => gaps.length === 1);
    await opens('the desk was read');
    const before = desk.reads;
    redis.thaw();
    const closing = next();
    await until('closings are heard again', async () => (await publisher.publish(closing).catch(() => 0)) > 0);
    await until('closed', () => !isOpen());
    expect(desk.reads).toBeGreaterThan(before);
    desk.known.add(closing.command_id);
    await opens('the desk knows it');
  });

  it('leaves a publisher with a clear no, soon', async () => {
    await redis.kill();
    const began = performance.now();
    await expect(publisher.publish(next())).rejects.toMatchObject({ code: 'RedisUnavailable' });
    expect(performance.now() - began).toBeLessThan(2_600);
  });
});
