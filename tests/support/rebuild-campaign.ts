/** The log is emptied while executions run and after others have ended: how long until lists, snapshots and timelines are right again. */
import { Partitions } from '../../src/event-log/keys';
import type { EventEnvelope } from '../../src/events/envelope';
import { fromSnapshot } from '../../src/feed-client/execution-view';
import { atRedis } from './fault-trial';
import { differences, truthOf, type Truth } from './fault-judge';
import type { FaultWorld } from './fault-world';
import { token } from './gateway-under-test';
import { answered, until } from './until';

export interface RebuildReport {
  readonly executions: number;
  readonly rebuilt_ms: number;
  /** In words, what was not right at the deadline. */
  readonly wrong: readonly string[];
}

export interface RebuildOptions {
  /** As many run, and as many have ended. */
  readonly executions: number;
  readonly deadline_ms: number;
}

const AT_ONCE = 10;
const READY_WITHIN_MS = 180_000;
const MOST_WORDS = 10;
const ENDS: ReadonlySet<string> = new Set(['node_completed', 'execution_completed']);

export async function rebuildCampaign(world: FaultWorld, options: RebuildOptions): Promise<RebuildReport> {
  const bot_id = `bot_rebuilt_${Date.now()}`;
  const running = await startAll(world, bot_id, options.executions);
  const ended = await startAll(world, bot_id, options.executions);
  for (const id of ended) await answered(() => world.client.deliverMessage(id, { name: 'go' }));
  for (const id of ended) {
    const isClosed = async () => (await answered(() => world.client.describeExecution(id))).closing;
    await until(`${id} is closed`, isClosed, READY_WITHIN_MS);
  }
  const ids = [...running, ...ended];
  const isSettled = async () => (await wrongWith(world, bot_id, await truthsOf(world, ids))).length === 0;
  await until('all is told before anything is lost', isSettled, READY_WITHIN_MS);
  const truths = await truthsOf(world, ids);
  const before = await timelines(world, ids);
  const lost = performance.now();
  await atRedis(world, 'FLUSHALL');
  let wrong: string[] = [];
  const isRight = async () => {
    wrong = await wrongWith(world, bot_id, truths);
    return wrong.length === 0;
  };
  await until('all is told again', isRight, options.deadline_ms).catch(() => undefined);
  const rebuilt_ms = Math.round(performance.now() - lost);
  if (wrong.length === 0) wrong = movedTimes(before, await timelines(world, ids));
  for (const id of running) await world.client.cancelExecution(id).catch(() => undefined);
  return { executions: ids.length, rebuilt_ms, wrong: wrong.slice(0, MOST_WORDS) };
}

async function startAll(world: FaultWorld, bot_id: string, count: number): Promise<string[]> {
  const nodes = {
    first: { type: 'constant', params: { value: '3' } },
    second: { type: 'math', params: { op: 'multiply', b: '2' }, inputs: { a: 'first.value' } },
    told: { type: 'notify', after: ['second'], params: { message: 'at {{second.value}}' } },
    go: { type: 'wait_for_signal', after: ['told'], params: { name: 'go' } },
    last: { type: 'notify', after: ['go'], params: { message: 'done' } },
  };
  const ids: string[] = [];
  const lane = async () => {
    while (ids.length < count) {
      const at = ids.push('') - 1;
      ids[at] = await world.start({ id: 'rebuilt', bot_id, nodes });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return ids;
}

async function truthsOf(world: FaultWorld, ids: readonly string[]): Promise<Truth[]> {
  const truths: Truth[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE).map((id) => answered(() => truthOf(world.client, id)));
    truths.push(...(await Promise.all(some)));
  }
  return truths;
}

/** In words: lists, snapshots and timelines as clients are given them. */
async function wrongWith(world: FaultWorld, bot_id: string, truths: readonly Truth[]): Promise<string[]> {
  const ids = truths.map(({ execution_id }) => execution_id);
  const wrong: string[] = [];
  for (const list of [{ bot_id }, { all: true }] as const) {
    const held = await world.read((reader) => reader.amongRecent(list, ids));
    if (held.size < ids.length)
      wrong.push(`${new Partitions(1).all[0].recent(list)} holds ${held.size} of ${ids.length}`);
  }
  for (const truth of truths) {
    const snapshot = await world.read((reader) => reader.snapshot(truth.execution_id));
    wrong.push(...differences(fromSnapshot(snapshot), truth));
  }
  const shown = await listed(world, bot_id);
  const isListed = ({ execution_id, state, has_ended }: Truth) =>
    shown.get(execution_id) === (has_ended ? state : 'waiting');
  const unlisted = truths.filter((each) => !isListed(each));
  return [
    ...wrong,
    ...unlisted.map(({ execution_id }) => `${execution_id} is listed as ${shown.get(execution_id) ?? 'nothing'}`),
  ];
}

/** State by execution, as the gateway lists them. */
async function listed(world: FaultWorld, bot_id: string): Promise<Map<string, string>> {
  const headers = { authorization: `Bearer ${await token()}` };
  const states = new Map<string, string>();
  let page: string | undefined = '';
  while (page !== undefined) {
    const query: URLSearchParams = new URLSearchParams({ bot_id, limit: '200', ...(page === '' ? {} : { page }) });
    const answer = await fetch(`${world.gateways[0] ?? ''}/api/executions?${query.toString()}`, { headers });
    const { executions, next_page } = (await answer.json()) as {
      executions: { execution_id: string; state: string }[];
      next_page?: string;
    };
    for (const { execution_id, state } of executions) states.set(execution_id, state);
    page = next_page;
  }
  return states;
}

type Timelines = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** By execution, when each of its nodes ended, and itself. */
async function timelines(world: FaultWorld, ids: readonly string[]): Promise<Timelines> {
  const all = new Map<string, Map<string, number>>();
  for (const id of ids) {
    const { events } = await world.read((reader) => reader.replay(id));
    const ends = events.filter(({ type }) => ENDS.has(type));
    all.set(id, new Map(ends.map((event) => [nameOf(event), Date.parse(event.timestamp)])));
  }
  return all;
}

function nameOf({ type, node_id = '' }: EventEnvelope): string {
  return `${type} ${node_id}`;
}

/** A worker says when a node ended, its execution when it heard of it: on a busy machine seconds later. */
const SAME_MS = 10_000;

function movedTimes(before: Timelines, after: Timelines): string[] {
  return [...before].flatMap(([id, ends]) =>
    [...ends].flatMap(([name, at]) => {
      const again = after.get(id)?.get(name);
      if (again !== undefined && Math.abs(again - at) <= SAME_MS) return [];
      return [`${id} ${name} was at ${at}, is at ${again ?? 'none'}`];
    }),
  );
}
