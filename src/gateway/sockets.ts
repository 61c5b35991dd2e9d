/** Socket.IO: who comes in, what they ask, and what they are sent. */
import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import { HoldfastError, messageOf } from '../errors';
import type { EventReader } from '../event-log';
import type { EventEnvelope } from '../events/envelope';
import type { Logger } from '../logging';
import { refusalOf, type DoorRules } from './access';
import { limiter } from './limiter';
import {
  messageSchemas,
  type AnswerOf,
  type ClientToServer,
  type Cursors,
  type EmergencyAnswer,
  type GapNotice,
  type Message,
  type MessageName,
  type ServerToClient,
  type Subscribed,
} from './protocol';
import { roomName, roomsOf, type RoomTarget } from './rooms';
import { Session } from './session';
import { requestState, subscribe } from './subscriptions';
import { verifyToken, type Identity } from './tokens';

export interface SocketOptions {
  readonly http: HttpServer;
  readonly rules: DoorRules;
  readonly secret: string;
  readonly reader: EventReader;
  readonly log: Logger;
  /** Decides in the name of an identity. */
  readonly approve: (identity: Identity, message: Message<'approve'>) => Promise<AnswerOf<'approve'>>;
  /** Speaks to the desk in the name of an identity. */
  readonly command: (identity: Identity, message: Message<'emergency_command'>) => Promise<EmergencyAnswer>;
}

interface SocketData {
  identity: Identity;
}
type GatewayServer = Server<ClientToServer, ServerToClient, Record<string, never>, SocketData>;
type GatewaySocket = Socket<ClientToServer, ServerToClient, Record<string, never>, SocketData>;

const MOST_BYTES = 256 * 1024;
/** Messages a client may send: a burst, and then per second. */
const RATE = { burst: 100, per_second: 20 };
/** Packets waiting for a client that does not read, before it is cut; it comes back by cursor. */
const MOST_WAITING = 5_000;
/** Characters of what a client wrote, in logs and answers. */
const MOST_NAME = 60;
const MOST_MISTAKE = 300;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Sockets {
  readonly #io: GatewayServer;
  readonly #options: SocketOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: SocketOptions) {
    this.#options = options;
    const { http, rules, secret } = options;
    this.#io = new Server(http, {
      serveClient: false,
      maxHttpBufferSize: MOST_BYTES,
      cors: { origin: [...rules.allowed_origins] },
      allowRequest: ({ headers }, decide) => {
        decide(null, refusalOf(rules, headers.host, headers.origin) === undefined);
      },
    });
    this.#io.use((socket, next) => {
      verifyToken(tokenOf(socket), secret).then(
        (identity) => {
          socket.data.identity = identity;
          next();
        },
        (error: unknown) => {
          next(Object.assign(new Error(messageOf(error)), { data: refusalFor(error).error }));
        },
      );
    });
    this.#io.on('connection', (socket) => {
      this.#welcome(socket);
    });
  }

  get count(): number {
    return this.#sessions.size;
  }

  publish(event: EventEnvelope): void {
    for (const session of this.#inRooms(roomsOf(event))) session.offer(event);
  }

  tellGap(gap: GapNotice): void {
    for (const session of this.#sessions.values()) session.tellGap(gap);
  }

  /** Tells every client to come back later and closes. */
  async drain(reconnectInMs: number): Promise<void> {
    this.#io.emit('draining', { reconnect_in_ms: reconnectInMs });
    await new Promise((resolve) => setImmediate(resolve));
    // Closing the engine, unlike `disconnect`, leaves the clients reconnecting.
    this.#io.engine.close();
  }

  #inRooms(rooms: readonly string[]): Set<Session> {
    const found = new Set<Session>();
    for (const room of rooms) {
      for (const sid of this.#io.sockets.adapter.rooms.get(room) ?? []) {
        const session = this.#sessions.get(sid);
        if (session !== undefined) found.add(session);
      }
    }
    return found;
  }

  #welcome(socket: GatewaySocket): void {
    const { identity } = socket.data;
    const session = new Session(identity, {
      event: (event) => {
        socket.emit('workflow_event', event);
        if (waitingPackets(socket) > MOST_WAITING) socket.conn.close(true);
      },
      snapshot: (snapshot) => socket.emit('snapshot', snapshot),
      gap: (gap) => socket.emit('gap', gap),
    });
    this.#sessions.set(socket.id, session);
    this.#options.log.info({ sid: socket.id, subject: identity.subject, role: identity.role }, 'client_connected');
    const stopTimer = atTime(identity.expires_at, () => {
      socket.conn.close();
    });
    const mayPass = limiter(RATE);
    socket.onAny((name: string, ...rest: unknown[]) => void this.#answer(socket, session, mayPass, [name, ...rest]));
    socket.on('disconnect', (reason) => {
      stopTimer();
      this.#sessions.delete(socket.id);
      this.#options.log.info({ sid: socket.id, reason }, 'client_disconnected');
    });
  }

  async #answer(
    socket: GatewaySocket,
    session: Session,
    mayPass: () => boolean,
    [name, ...rest]: [string, ...unknown[]],
  ): Promise<void> {
    const last = rest.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (answer: object) => void) : () => undefined;
    const message = typeof rest[0] === 'function' ? {} : (rest[0] ?? {});
    try {
      if (!mayPass()) throw new HoldfastError('RateLimited', 'Too many messages; ask less often.');
      acknowledge({ ok: true, ...(await this.#handle(socket, session, name, message)) });
    } catch (error) {
      this.#logRefusal(socket.id, name, error);
      acknowledge(refusalFor(error));
    }
  }

  /** What is over the limit leaves no line, or the limit would not protect the log. */
  #logRefusal(sid: string, name: string, error: unknown): void {
    const { code } = refusalFor(error).error;
    if (code === 'RateLimited') return;
    const entry = { sid, message: cut(name, MOST_NAME), code, error: messageOf(error) };
    this.#options.log[code === 'Unexpected' ? 'error' : 'info'](entry, 'client_refused');
  }

  async #handle(socket: GatewaySocket, session: Session, name: string, given: unknown): Promise<object> {
    const message = readMessage(name, given);
    switch (message.name) {
      case 'unsubscribe':
        return this.#unsubscribe(socket, message.body);
      case 'request_state':
        return { snapshot: await requestState(this.#options.reader, session, message.body.execution_id) };
      case 'approve':
        return this.#options.approve(session.identity, message.body);
      case 'emergency_command':
        return this.#options.command(session.identity, message.body);
      default: {
        const { cursors = {}, ...target } = message.body;
        return this.#subscribe(socket, session, target as RoomTarget, cursors);
      }
    }
  }

  async #subscribe(socket: GatewaySocket, session: Session, target: RoomTarget, cursors: Cursors): Promise<Subscribed> {
    const room = roomName(target);
    const already = socket.rooms.has(room);
    const answer = await subscribe(this.#options.reader, {
      session,
      target,
      cursors,
      join: () => void socket.join(room),
      leave: () => void (already || socket.leave(room)),
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

type AnyMessage = { readonly [N in MessageName]: { readonly name: N; readonly body: Message<N> } }[MessageName];

function readMessage(name: string, given: unknown): AnyMessage {
  if (!Object.hasOwn(messageSchemas, name)) {
    throw new HoldfastError('BadRequest', `There is no message ${cut(name, MOST_NAME)}.`);
  }
  const parsed = messageSchemas[name as MessageName].safeParse(given);
  if (parsed.success) return { name, body: parsed.data } as AnyMessage;
  const issue = parsed.error.issues[0];
  throw new HoldfastError(
    'BadRequest',
    cut(`${name}: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(' ')}`, MOST_MISTAKE),
  );
}

/** Socket.IO also takes numbers for names. */
function cut(text: string | number, most: number): string {
  return String(text).slice(0, most);
}

function tokenOf({ handshake }: GatewaySocket): string | undefined {
  const given: unknown = handshake.auth['token'];
  if (typeof given === 'string') return given;
  return /^Bearer (.+)$/.exec(handshake.headers.authorization ?? '')?.[1];
}

function refusalFor(error: unknown) {
  if (error instanceof HoldfastError)
    return { ok: false, error: { code: error.code, message: error.message } } as const;
  return { ok: false, error: { code: 'Unexpected', message: 'The gateway failed to answer.' } } as const;
}

/** engine.io declares its queue private; there is no other measure of what a client has not read. */
function waitingPackets(socket: GatewaySocket): number {
  return (socket.conn as unknown as { writeBuffer: readonly unknown[] }).writeBuffer.length;
}

/** Calls back at a time that may be further away than a timer reaches. Returns how to stop it. */
function atTime(at: number, action: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = () => {
    const left = at - Date.now();
    timer = setTimeout(left > LONGEST_TIMER_MS ? arm : action, Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
    timer.unref();
  };
  arm();
  return () => {
    clearTimeout(timer);
  };
}
