/** What breaks between executions and clients, with gateways and a worker as processes of their own. `npm run soak:events` is the same, larger. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { differences, truthOf } from '../support/fault-judge';
import { faultTable } from '../support/fault-table';
import { faultTrial } from '../support/fault-trial';
import { FaultWorld } from '../support/fault-world';
import { rebuildCampaign } from '../support/rebuild-campaign';
import { answered, until } from '../support/until';
import { fromSnapshot } from '../../src/feed-client/execution-view';

jest.setTimeout(240_000);

const TRIAL = { clients: 6, rate: 60, streams: 6, executions: 2, naps: 3, before_ms: 500, after_ms: 500 };
let world: FaultWorld;

beforeAll(async () => {
  world = await FaultWorld.open(3);
});

afterAll(async () => {
  await world.close();
});

describe('clients miss nothing in silence and come to show what is so', () => {
  it.each(faultTable({ hang_ms: 3_000, offline_ms: 3_000 }))('when $what', async (fault) => {
    const { wrong, published } = await faultTrial(world, fault, TRIAL);
    expect(wrong).toEqual([]);
    expect(published).toBeGreaterThan(100);
  });
});

describe('a log that lost something', () => {
  it('is right again after it was emptied: lists, snapshots, timelines of what runs and of what has ended', async () => {
    const { executions, wrong } = await rebuildCampaign(world, { executions: 10, deadline_ms: 60_000 });
    expect([executions, wrong]).toEqual([20, []]);
  });

  it('shows the end of a node whose worker was killed before it could tell, while the execution goes on', async () => {
    const nodes = {
      nap: { type: 'wait', params: { for: '1s' } },
      told: { type: 'notify', after: ['nap'], params: { message: 'nobody hears of this' } },
      go: { type: 'wait_for_signal', after: ['told'], params: { name: 'go' } },
    };
    const id = await world.start({ nodes });
    await until('the log has it', async () => (await world.reader.snapshot(id)).nodes['nap']?.type === 'node_waiting');
    world.redis.freeze();
    const isPast = async () => (await world.client.executionStatus(id)).nodes['go']?.state === 'waiting';
    await until('it goes on while nothing can be told', () => isPast().catch(() => false));
    await world.killWorker();
    world.redis.thaw();
    await world.startWorker();
    const truth = await answered(() => truthOf(world.client, id));
    expect(truth.nodes).toMatchObject({
      nap: { state: 'completed' },
      told: { state: 'completed' },
      go: { state: 'waiting' },
    });
    const isRight = async () => {
      const snapshot = await world.read((reader) => reader.snapshot(id));
      return differences(fromSnapshot(snapshot), truth).length === 0;
    };
    await until('the log is right', isRight, 60_000);
    await world.client.cancelExecution(id);
  });
});
