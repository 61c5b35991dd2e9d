/** Socket.IO: who comes in, what they ask, and what they are sent. */
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { HoldfastError, messageOf } from '../errors';
import type { EventReader } from '../event-log';
import type { EventEnvelope } from '../events/envelope';
import type { Logger } from '../logging';
import { refusalOf, type DoorRules } from './access';
import type { Budgets } from './budgets';
import { Connection, refusalFor, type GatewaySocket, type Handler, type SocketData } from './connection';
import type { Counters } from './counters';
import { Door, type DoorSession } from './door';
import type { GatewayLimits } from './limits';
import type {
  AnswerOf,
  ClientToServer,
  Cursors,
  EmergencyAnswer,
  GapNotice,
  Message,
  ServerToClient,
  Subscribed,
} from './protocol';
import { roomName, roomsOf, type RoomTarget } from './rooms';
import { requestState, subscribe, type StateSources } from './subscriptions';
import { verifyToken, type Identity } from './tokens';

export interface SocketOptions {
  readonly http: HttpServer;
  readonly rules: DoorRules;
  readonly secret: string;
  readonly reader: EventReader;
  readonly log: Logger;
  readonly limits: GatewayLimits;
  readonly budgets: Budgets;
  readonly counters: Counters;
  /** Resolves once events are heard. Throws `RedisUnavailable` when that takes too long. */
  readonly hears: () => Promise<void>;
  /** How an execution stands that the log holds nothing of. */
  readonly account: StateSources['account'];
  /** Starts a graph in the name of an identity. */
  readonly start: (identity: Identity, message: Message<'start_execution'>) => Promise<AnswerOf<'start_execution'>>;
  /** Decides in the name of an identity. */
  readonly approve: (identity: Identity, message: Message<'approve'>) => Promise<AnswerOf<'approve'>>;
  /** Speaks to the desk in the name of an identity. */
  readonly command: (identity: Identity, message: Message<'emergency_command'>) => Promise<EmergencyAnswer>;
}

type GatewayServer = Server<ClientToServer, ServerToClient, Record<string, never>, SocketData>;

const MOST_BYTES = 256 * 1024;
/** For who connects to show a token. */
const TOKEN_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** How the WebSocket library says that a message was larger than it takes, and HTTP. */
const TOO_LARGE = /max payload size exceeded/i;
const TOO_LARGE_STATUS = 413;

export class Sockets {
  readonly #io: GatewayServer;
  readonly #options: SocketOptions;
  readonly #door: Door;
  readonly #connections = new Map<string, Connection>();
  readonly #looking: NodeJS.Timeout;

  constructor(options: SocketOptions) {
    this.#options = options;
    const { http, rules, secret, limits, counters } = options;
    this.#door = new Door(limits);
    this.#io = new Server(http, {
      serveClient: false,
      maxHttpBufferSize: MOST_BYTES,
      connectTimeout: TOKEN_WITHIN_MS,
      cors: { origin: [...rules.allowed_origins] },
      allowRequest: (request, decide) => {
        const { host, origin } = request.headers;
        const refusal = refusalOf(rules, host, origin)?.reason ?? this.#door.enter(request);
        if (refusal !== undefined) counters.refused(refusal);
        decide(refusal, refusal === undefined);
      },
    });
    this.#io.engine.on('connection', (session: DoorSession) => {
      this.#door.adopt(session);
      session.once('close', (_reason, problem) => {
        if (TOO_LARGE.test(messageOf(problem))) counters.refused('too_large');
      });
    });
    this.#countLargePosts(http);
    this.#io.use((socket, next) => {
      verifyToken(tokenOf(socket), secret).then(
        (identity) => {
          socket.data.identity = identity;
          next();
        },
        (error: unknown) => {
          const refusal = refusalFor(error).error;
          counters.refusedWith(refusal.code);
          next(Object.assign(new Error(messageOf(error)), { data: refusal }));
        },
      );
    });
    this.#io.on('connection', (socket) => {
      this.#welcome(socket);
    });
    counters.watchClients(() => this.count);
    this.#looking = setInterval(() => {
      for (const connection of this.#connections.values()) connection.look(Date.now());
    }, LOOK_EVERY_MS);
    this.#looking.unref();
  }

  get count(): number {
    return this.#connections.size;
  }

  publish(event: EventEnvelope): void {
    for (const { session } of this.#inRooms(roomsOf(event))) session.offer(event);
  }

  tellGap(gap: GapNotice): void {
    for (const { session } of this.#connections.values()) session.tellGap(gap);
  }

  /** Tells every client to come back later and closes. */
  async drain(reconnectInMs: number): Promise<void> {
    clearInterval(this.#looking);
    this.#io.emit('draining', { reconnect_in_ms: reconnectInMs });
    await new Promise((resolve) => setImmediate(resolve));
    // Closing the engine, unlike `disconnect`, leaves the clients reconnecting.
    this.#io.engine.close();
  }

  /** Of who polls; the engine answers them by itself and tells nobody. */
  #countLargePosts(http: HttpServer): void {
    http.on('request', ({ url = '' }, response) => {
      if (!url.startsWith(this.#io.path())) return;
      response.once('finish', () => {
        if (response.statusCode === TOO_LARGE_STATUS) this.#options.counters.refused('too_large');
      });
    });
  }

  #inRooms(rooms: readonly string[]): Set<Connection> {
    const found = new Set<Connection>();
    for (const room of rooms) {
      for (const sid of this.#io.sockets.adapter.rooms.get(room) ?? []) {
        const connection = this.#connections.get(sid);
        if (connection !== undefined) found.add(connection);
      }
    }
    return found;
  }

  #welcome(socket: GatewaySocket): void {
    this.#connections.set(socket.id, new Connection(socket, this.#options, this.#handle));
    socket.on('disconnect', () => {
      this.#connections.delete(socket.id);
    });
  }

  readonly #handle: Handler = async ({ socket, session }, message, answer) => {
    const { reader, account, start, approve, command } = this.#options;
    switch (message.name) {
      case 'unsubscribe':
        answer(this.#unsubscribe(socket, message.body));
        return;
      case 'request_state': {
        const { execution_id } = message.body;
        await requestState({ reader, account }, { session, execution_id, tell: answer });
        return;
      }
      case 'start_execution':
        answer(await start(session.identity, message.body));
        return;
      case 'approve':
        answer(await approve(session.identity, message.body));
        return;
      case 'emergency_command':
        answer(await command(session.identity, message.body));
        return;
      default: {
        const { cursors = {}, ...target } = message.body;
        answer(await this.#subscribe({ socket, session }, target as RoomTarget, cursors));
      }
    }
  };

  async #subscribe(
    { socket, session }: Pick<Connection, 'socket' | 'session'>,
    target: RoomTarget,
    cursors: Cursors,
  ): Promise<Subscribed> {
    const { limits, reader, hears } = this.#options;
    await hears();
    const room = roomName(target);
    const already = socket.rooms.has(room);
    // One of them is its own, which nobody sends to.
    if (!already && socket.rooms.size > limits.rooms) {
      throw new HoldfastError('RateLimited', `A connection is in at most ${limits.rooms} rooms; leave some of them.`);
    }
    const answer = await subscribe(reader, {
      session,
      target,
      cursors: new Map(Object.entries(cursors)),
      join: () => void socket.join(room),
      leave: () => void (already || socket.leave(room)),
      isHeard: (event) => roomsOf(event).some((each) => socket.rooms.has(each)),
    });
    this.#options.log.info({ sid: socket.id, room, mode: answer.mode, ...target }, 'client_subscribed');
    return answer;
  }

  #unsubscribe(socket: GatewaySocket, target: object): { rooms: string[] } {
    const named = Object.entries(target).map(([key, value]) => roomName({ [key]: value as string } as RoomTarget));
    for (const room of named.length > 0 ? named : socket.rooms) if (room !== socket.id) void socket.leave(room);
    return { rooms: [...socket.rooms].filter((room) => room !== socket.id) };
  }
}

function tokenOf({ handshake }: GatewaySocket): string | undefined {
  const given: unknown = handshake.auth['token'];
  if (typeof given === 'string') return given;
  return /^Bearer (.+)$/.exec(handshake.headers.authorization ?? '')?.[1];
}
