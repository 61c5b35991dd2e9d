/**
 * Subscribing: authorise, join but hold back, replay or snapshot with position, release what is newer, acknowledge. A
 * client that subscribes again goes on from what this connection has already given it.
 */
import { HoldfastError } from '../errors';
import type { Cursor, EventReader, Replay, Snapshot } from '../event-log';
import type { EventEnvelope } from '../events/envelope';
import { assertMaySee, isRestricted, maySee } from './access';
import { snapshotOf, type Account } from './accounts';
import { isBare } from './missing-events';
import type { StateAnswer, Subscribed } from './protocol';
import { roomName, type RoomTarget } from './rooms';
import type { Session } from './session';
import type { Identity } from './tokens';

/** Events one subscription replays at most. */
const REPLAY_LIMIT = 300;
/** Executions of a room whose past is given. */
const RECENT_EXECUTIONS = 20;

/** By stream, what the client has. A map: a stream may be called like something every object has. */
type Cursors = ReadonlyMap<string, Cursor>;

export interface Subscription {
  readonly session: Session;
  readonly target: RoomTarget;
  readonly cursors: Cursors;
  /** Joins the room; from then on events reach the session. */
  readonly join: () => void;
  readonly leave: () => void;
  /** Whether an event is of a room the client is in. */
  readonly isHeard: (event: EventEnvelope) => boolean;
}

/** Throws `Forbidden`, `RedisUnavailable`. */
export async function subscribe(reader: EventReader, subscription: Subscription): Promise<Subscribed> {
  const { session, target, cursors, join, leave, isHeard } = subscription;
  assertMayEnter(session.identity, target);
  return session.catchingUp(async () => {
    join();
    try {
      const { streams, complete } = await streamsOf(reader, target, cursors);
      const answer = await catchUp(reader, session, streams, cursors);
      return { ...answer, recovered: answer.recovered && complete };
    } catch (error) {
      leave();
      session.keepHeld(isHeard);
      throw error;
    }
  });
}

/** Rooms that mix owners are entered by everyone; each event is judged on its own when it is offered. */
function assertMayEnter({ bots, strategies }: Identity, target: RoomTarget): void {
  const outside =
    ('bot_id' in target && bots?.includes(target.bot_id) === false) ||
    ('strategy_id' in target && strategies?.includes(target.strategy_id) === false);
  if (outside) throw new HoldfastError('Forbidden', 'The token’s bots or strategies do not include this.');
}

interface Streams {
  readonly streams: readonly string[];
  /** False when executions the client has cursors for, or may have missed, are not among them. */
  readonly complete: boolean;
}

async function streamsOf(reader: EventReader, target: RoomTarget, cursors: Cursors): Promise<Streams> {
  if ('execution_id' in target) return { streams: [target.execution_id], complete: true };
  if ('desk_id' in target) return { streams: [`desk/${target.desk_id}`], complete: true };
  const recent = await reader.recent(target, RECENT_EXECUTIONS);
  // No list of recent executions holds the desk.
  const desks = roomName(target) === 'all' ? [...cursors.keys()].filter((stream) => stream.startsWith('desk/')) : [];
  const older = [...cursors.keys()].filter((stream) => ![...desks, ...recent].includes(stream));
  const held = await reader.amongRecent(target, older);
  // A full list whose quietest entry is new to a returning client may hide others that are new to it.
  const quietest = recent.length === RECENT_EXECUTIONS ? recent.at(-1) : undefined;
  const mayHide = quietest !== undefined && cursors.size > 0 && !cursors.has(quietest);
  return { streams: [...desks, ...recent, ...held], complete: held.size === older.length && !mayHide };
}

type Past = { readonly stream: string } & ({ readonly replay: Replay } | { readonly snapshot: Snapshot });

/** Reads first, newest execution first, and sends then, oldest first. */
async function catchUp(
  reader: EventReader,
  session: Session,
  streams: readonly string[],
  cursors: Cursors,
): Promise<Subscribed> {
  const visible = await visibleOf(reader, session.identity, streams);
  const pasts: Past[] = [];
  let budget = REPLAY_LIMIT;
  for (const stream of visible) {
    const past = await pastOf(reader, stream, session.positionIn(stream) ?? cursors.get(stream), budget);
    if ('replay' in past) budget -= past.replay.events.length;
    pasts.push(past);
  }
  for (const past of pasts.reverse()) send(session, past);
  const recovered = pasts.every((past) => 'replay' in past);
  const known = pasts.flatMap(({ stream }): [string, Cursor][] => {
    const position = session.positionIn(stream);
    return position === undefined ? [] : [[stream, position]];
  });
  return { recovered, mode: recovered ? 'replay' : 'snapshot', cursors: Object.fromEntries(known) };
}

async function pastOf(reader: EventReader, stream: string, after: Cursor | undefined, limit: number): Promise<Past> {
  const replay = await reader.replay(stream, after, limit);
  return replay.recovered ? { stream, replay } : { stream, snapshot: await reader.snapshot(stream) };
}

function send(session: Session, past: Past): void {
  if ('snapshot' in past) session.restore(past.snapshot);
  else session.replay(past.replay.events);
}

/** Throws `Forbidden` when there is something, and none of it may be seen. */
async function visibleOf(reader: EventReader, identity: Identity, streams: readonly string[]): Promise<string[]> {
  if (!isRestricted(identity)) return [...streams];
  const visible: string[] = [];
  for (const stream of streams) {
    const owner = stream.startsWith('desk/') ? undefined : ownerOf(await reader.snapshot(stream));
    if (owner === undefined || maySee(identity, owner)) visible.push(stream);
  }
  if (streams.length > 0 && visible.length === 0) {
    throw new HoldfastError('Forbidden', 'The token’s bots or strategies do not include this.');
  }
  return visible;
}

/** Any event of an execution names its bot and strategy; undefined for one nothing is known of. */
export function ownerOf({ latest, nodes }: Snapshot): EventEnvelope | undefined {
  return latest ?? Object.values(nodes)[0];
}

export interface StateRequest {
  readonly session: Session;
  readonly execution_id: string;
  readonly tell: (answer: StateAnswer) => void;
}

export interface StateSources {
  readonly reader: EventReader;
  /** What Temporal says, undefined where it does not know the execution. Throws `TemporalUnavailable`. */
  readonly account: (executionId: string) => Promise<Account | undefined>;
}

/**
 * Tells the state of one execution, with everything newer to follow. Where the log holds nothing of its nodes, Temporal is asked, while
 * events go on coming; what the log has heard of it meanwhile goes first. Throws `Forbidden`, `RedisUnavailable`, and `TemporalUnavailable`
 * where otherwise nothing is known: that nobody answers does not mean that it was never started.
 */
export async function requestState({ reader, account }: StateSources, request: StateRequest): Promise<void> {
  const { session, execution_id } = request;
  const bare = await tellFromLog(reader, request);
  if (bare === undefined) return;
  const found = await account(execution_id).catch((error: unknown) => {
    if (bare.started) return undefined;
    throw error;
  });
  if (found !== undefined) assertMaySee(session.identity, found.about);
  await tellFromLog(reader, request, (snapshot) =>
    found === undefined
      ? { snapshot, source: 'log' }
      : { snapshot: snapshotOf(found, snapshot.position), source: found.source },
  );
}

/** `instead`: for a bare log; without it that is told nobody, and returned. */
async function tellFromLog(
  reader: EventReader,
  { session, execution_id, tell }: StateRequest,
  instead: (snapshot: Snapshot) => StateAnswer | undefined = () => undefined,
): Promise<Snapshot | undefined> {
  let bare: Snapshot | undefined;
  const read = async (): Promise<StateAnswer | undefined> => {
    const snapshot = await reader.snapshot(execution_id);
    const owner = ownerOf(snapshot);
    if (owner !== undefined) assertMaySee(session.identity, owner);
    if (isBare(snapshot)) bare = snapshot;
    const answer: StateAnswer | undefined = bare === undefined ? { snapshot, source: 'log' } : instead(bare);
    if (answer !== undefined) session.moveTo(execution_id, snapshot.position);
    return answer;
  };
  await session.catchingUp(read, (answer) => {
    if (answer !== undefined) tell(answer);
  });
  return bare;
}
