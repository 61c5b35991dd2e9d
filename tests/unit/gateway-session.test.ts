import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Snapshot } from '../../src/event-log';
import { emergencyEvent, riskEvent } from '../../src/events/build';
import type { EventEnvelope } from '../../src/events/envelope';
import { roomName, roomsOf } from '../../src/gateway/rooms';
import { Session } from '../../src/gateway/session';
import type { GapNotice } from '../../src/gateway/protocol';
import type { Identity } from '../../src/gateway/tokens';
import { context, node, nodeStarted } from '../support/sample-events';

const anyone: Identity = { subject: 's', role: 'viewer', expires_at: 0 };
const event = (seq: number, stream = 'exec_1', log_epoch = '1-a-1'): EventEnvelope => ({
  ...node(context(stream), `n${seq}`, nodeStarted).event,
  log_epoch,
  seq,
});

const halted = (seq: number, scope: string): EventEnvelope => {
  const fact = { type: 'emergency_state_changed', controller_id: scope, scope, previous_state: 'normal' } as const;
  const said = { new_state: 'halt', reason: 'fire', actor: 'ann', desk_epoch: seq, sealed: false } as const;
  return { ...emergencyEvent('default', 'paper', { ...fact, ...said }, 1).event, log_epoch: '1-a-1', seq };
};
const risk = (seq: number, scope: string): EventEnvelope => {
  const fact = { type: 'risk_limit_exceeded', controller_id: scope, scope, limit: 'daily_loss' } as const;
  const said = { used: '550', allowed: '500', utilization: '1.1', desk_epoch: seq } as const;
  return { ...riskEvent('default', 'paper', { ...fact, ...said }, 1).event, log_epoch: '1-a-1', seq };
};

function sessionOf(identity = anyone) {
  const events: EventEnvelope[] = [];
  const snapshots: Snapshot[] = [];
  const gaps: GapNotice[] = [];
  const outlet = {
    event: (each: EventEnvelope) => events.push(each),
    snapshot: (each: Snapshot) => snapshots.push(each),
    gap: (each: GapNotice) => gaps.push(each),
  };
  return { session: new Session(identity, outlet), events, snapshots, gaps };
}

describe('a session', () => {
  it('gives each event once and in order, wherever replay, hold-back and live events overlap', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.nat(20), fc.nat(20), async (replayed, heldFrom, heldTo) => {
        const { session, events } = sessionOf();
        const last = Math.max(replayed, heldTo) + 3;
        await session.catchingUp(async () => {
          for (let seq = heldFrom; seq <= heldTo; seq++) if (seq > 0) session.offer(event(seq));
          await Promise.resolve();
          session.replay(Array.from({ length: replayed }, (_, i) => event(i + 1)));
        });
        const liveFrom = Math.max(1, Math.min(replayed, Math.max(heldTo, heldFrom)));
        for (let seq = liveFrom; seq <= last; seq++) session.offer(event(seq));
        const seqs = events.map(({ seq }) => seq);
        expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
        expect(seqs.at(-1)).toBe(last);
      }),
    );
  });

  it('goes on from a snapshot’s position and ignores an older one', () => {
    const { session, events, snapshots } = sessionOf();
    const position = { log_epoch: '1-a-1', seq: 10 };
    session.restore({ stream: 'exec_1', position, started: true, ended: false, nodes: {} });
    session.moveTo('exec_1', { log_epoch: '1-a-1', seq: 4 });
    for (const seq of [9, 10, 11]) session.offer(event(seq));
    expect([events.map(({ seq }) => seq), snapshots.length, session.positionIn('exec_1')?.seq]).toEqual([[11], 1, 11]);
  });

  it('takes a new log epoch as newer and an old one’s stragglers as known', () => {
    const { session, events } = sessionOf();
    session.offer(event(7));
    session.offer(event(1, 'exec_1', '1-b-2'));
    session.offer(event(8));
    expect(events.map(({ log_epoch, seq }) => [log_epoch, seq])).toEqual([
      ['1-a-1', 7],
      ['1-b-2', 1],
    ]);
  });

  it('gives no event that does not follow on the last without a word, and says it once', () => {
    const { session, events, gaps } = sessionOf();
    const of = { streams: ['exec_1'], complete: true };
    for (const seq of [3, 4, 7]) session.offer(event(seq));
    expect(gaps).toEqual([{ reason: 'out_of_reach', dropped: 2, ...of }]);
    session.offer(event(1, 'exec_1', '1-b-2'));
    expect(gaps.slice(1)).toEqual([{ reason: 'log_restarted', dropped: 0, ...of }]);
    session.tellGap({ reason: 'out_of_reach', dropped: 3, ...of });
    session.offer(event(5, 'exec_1', '1-b-2'));
    session.tellGap({ reason: 'dropped', dropped: 3, streams: [], complete: false });
    session.offer(event(9, 'exec_1', '1-b-2'));
    expect([gaps.length, events.length]).toEqual([4, 6]);
    session.offer(event(11, 'exec_1', '1-b-2'));
    expect(gaps.at(-1)).toEqual({ reason: 'out_of_reach', dropped: 1, ...of });
  });

  it('says nothing of what others’ scopes leave out of the desk’s stream', () => {
    const { session, events, gaps } = sessionOf({ ...anyone, bots: ['mine'] });
    for (const seq of [1, 4]) session.offer(halted(seq, 'global'));
    expect([events.length, gaps]).toEqual([2, []]);
  });

  it('says what came of a subscription before what happened meanwhile', async () => {
    const { session, events } = sessionOf();
    const told: number[] = [];
    const catchingUp = session.catchingUp(
      async () => {
        session.offer(event(1));
        await Promise.resolve();
        return 'the state';
      },
      () => told.push(events.length),
    );
    await catchingUp;
    expect([told, events.length]).toEqual([[0], 1]);
  });

  it('keeps from a restricted identity what is of other bots, of the desk too; not that all is halted', () => {
    const { session, events, snapshots } = sessionOf({ ...anyone, bots: ['mine'] });
    const ofDesk = [halted(1, 'global'), halted(2, 'bot:mine'), halted(3, 'bot:other'), risk(4, 'global')];
    session.offer(event(1));
    for (const each of ofDesk) session.offer(each);
    expect(events.map(({ stream, seq }) => [stream, seq])).toEqual([
      ['desk/default', 1],
      ['desk/default', 2],
    ]);
    const nodes = { 'bot:mine': halted(2, 'bot:mine'), 'bot:other': halted(3, 'bot:other') };
    const position = { log_epoch: '1-a-1', seq: 4 };
    session.restore({
      stream: 'desk/default',
      position,
      started: true,
      ended: false,
      latest: risk(4, 'global'),
      nodes,
    });
    expect(Object.keys(snapshots[0]?.nodes ?? {})).toEqual(['bot:mine']);
    expect(snapshots[0]).not.toHaveProperty('latest');
  });

  it('keeps other bots’ events from a restricted identity in a replay too', () => {
    const { session, events } = sessionOf({ ...anyone, bots: ['mine'] });
    session.replay([event(1), { ...event(2), bot_id: 'mine' }, halted(1, 'global'), halted(2, 'bot:other')]);
    expect(events.map(({ stream, seq }) => [stream, seq])).toEqual([
      ['exec_1', 2],
      ['desk/default', 1],
    ]);
  });

  it('names the streams of a gap to an unrestricted identity only', () => {
    const gap: GapNotice = { reason: 'dropped', dropped: 3, streams: ['exec_1'], complete: true };
    const [free, restricted] = [sessionOf(), sessionOf({ ...anyone, strategies: ['s'] })];
    free.session.tellGap(gap);
    restricted.session.tellGap(gap);
    expect(free.gaps).toEqual([gap]);
    expect(restricted.gaps).toEqual([{ ...gap, streams: [], complete: false }]);
  });

  it('releases what it held when the subscription fails, and serves the next one', async () => {
    const { session, events } = sessionOf();
    const failing = session.catchingUp(() => {
      session.offer(event(1));
      return Promise.reject(new Error('no Redis'));
    });
    await expect(failing).rejects.toThrow('no Redis');
    expect(events).toHaveLength(1);
    await expect(session.catchingUp(() => Promise.resolve('fine'))).resolves.toBe('fine');
  });

  it('forgets the streams it has not heard of for longest', () => {
    const { session } = sessionOf();
    for (let i = 0; i < 5_001; i++) session.offer(event(1, `exec_${i}`));
    expect([session.positionIn('exec_0'), session.positionIn('exec_1')?.seq]).toEqual([undefined, 1]);
  });
});

describe('rooms', () => {
  it('are named by what clients name, and an event reaches all it belongs to', () => {
    expect(roomsOf(event(1))).toEqual(['all', 'workflow:arb', 'bot:bot_001', 'strategy:arb_btc', 'execution:exec_1']);
    const desk = { v: 1, event_id: 'x', stream: 'desk/default', timestamp: '', mode: 'paper', log_epoch: '', seq: 1 };
    expect(roomsOf({ ...desk, type: 'node_started' } as EventEnvelope)).toEqual(['all', 'desk:default']);
    expect([roomName({ all: true }), roomName({ desk_id: 'd' })]).toEqual(['all', 'desk:d']);
  });
});
