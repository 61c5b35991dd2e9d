/** One client: who it is and until when, what it asks, and how it is told that the connection ends. */
import type { Socket } from 'socket.io';
import { HoldfastError, messageOf, type ErrorCode } from '../errors';
import { ROLES_THAT_COMMAND, assertNoWider } from './access';
import type { RefusalReason } from './counters';
import { Delivery } from './delivery';
import { readMessage, type AnyMessage } from './messages';
import { isRaise as raises, type ClientToServer, type ServerToClient } from './protocol';
import { Session } from './session';
import type { SocketOptions } from './sockets';
import { verifyToken, type Identity } from './tokens';

export interface SocketData {
  identity: Identity;
}
export type GatewaySocket = Socket<ClientToServer, ServerToClient, Record<string, never>, SocketData>;

type Answering = (body: object) => void;

/** Does what a message asks, and answers it. Throws what it is refused with. */
export type Handler = (
  connection: Connection,
  message: Exclude<AnyMessage, { name: 'refresh' }>,
  answer: Answering,
) => Promise<void>;

/** Characters of what a client wrote, in the log. */
const MOST_NAME = 60;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** For the last words to reach a client; one that does not read is cut then. */
const LAST_WORDS_MS = 1_000;

export class Connection {
  readonly socket: GatewaySocket;
  readonly session: Session;
  readonly #options: SocketOptions;
  readonly #handle: Handler;
  readonly #delivery: Delivery;
  #stopTimer: () => void;
  #isEnding = false;

  constructor(socket: GatewaySocket, options: SocketOptions, handle: Handler) {
    this.socket = socket;
    this.#options = options;
    this.#handle = handle;
    const { identity } = socket.data;
    this.#delivery = new Delivery(socket, options.limits, () => {
      this.#cut();
    });
    this.session = new Session(identity, this.#delivery);
    this.#stopTimer = this.#expireAt(identity);
    options.log.info({ sid: socket.id, subject: identity.subject, role: identity.role }, 'client_connected');
    this.#listen();
  }

  /** To be called every second; cuts a client that takes nothing of what waits for it. */
  look(now: number): void {
    this.#delivery.look(now);
  }

  #listen(): void {
    const { socket } = this;
    socket.conn.on('packet', ({ type, data }: { readonly type: string; readonly data?: unknown }) => {
      if (type === 'message' && isBinary(data)) this.#end('binary', 'BadRequest', 'Binary messages are not taken.');
    });
    socket.onAny((name: string, ...rest: unknown[]) => void this.#answer([name, ...rest]));
    // What is no packet of Socket.IO ends the connection by itself.
    socket.on('error', () => {
      this.#refused('malformed');
    });
    socket.on('disconnect', (reason) => {
      this.#stopTimer();
      this.#delivery.close();
      this.#options.log.info({ sid: socket.id, reason }, 'client_disconnected');
    });
  }

  async #answer([name, ...rest]: [string | number, ...unknown[]]): Promise<void> {
    const last = rest.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (answer: object) => void) : () => undefined;
    const given = typeof rest[0] === 'function' ? {} : (rest[0] ?? {});
    const isRaise = this.#isRaise(name, given);
    const verdict = await this.#options.budgets.spend(this.socket.id, isRaise);
    if (verdict === 'excess') {
      this.#drop();
      return;
    }
    try {
      if (verdict === 'over') throw new HoldfastError('RateLimited', 'Too many messages; ask less often.');
      if (this.#delivery.isBusy && !isRaise) throw new HoldfastError('RateLimited', 'Read what was sent, then ask.');
      await this.#obey(readMessage(name, given), (body) => {
        this.#delivery.answer(() => {
          acknowledge({ ok: true, ...body });
        });
      });
    } catch (error) {
      this.#refuse(name, error);
      acknowledge(refusalFor(error));
    }
  }

  async #obey(message: AnyMessage, answer: Answering): Promise<void> {
    if (message.name === 'refresh') answer(await this.#refresh(message.body.token));
    else await this.#handle(this, message, answer);
  }

  /** Who may not command spends nothing of what halts need. */
  #isRaise(name: string | number, given: unknown): boolean {
    return ROLES_THAT_COMMAND.includes(this.session.identity.role) && raises(name, given);
  }

  /** Beyond all measure nobody is answered. An operator is not cut for it either: their next message may be a halt. */
  #drop(): void {
    this.#refused('rate');
    if (ROLES_THAT_COMMAND.includes(this.session.identity.role) || this.#isEnding) return;
    this.#end(undefined, 'RateLimited', 'Far too many messages.');
  }

  /** Another token for the same subject: rooms, positions and what is under way stay. */
  async #refresh(token: string): Promise<{ readonly expires_at: string }> {
    const identity = await verifyToken(token, this.#options.secret);
    assertNoWider(this.session.identity, identity);
    this.#stopTimer();
    this.socket.data.identity = identity;
    this.session.renew(identity);
    this.#stopTimer = this.#expireAt(identity);
    return { expires_at: new Date(identity.expires_at).toISOString() };
  }

  #expireAt({ expires_at }: Identity): () => void {
    return atTime(expires_at, () => {
      this.#end('token_expired', 'TokenExpired', 'The token of this connection has expired.');
    });
  }

  #cut(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#refused('slow');
    this.#options.log.warn({ sid: this.socket.id, waiting: this.#delivery.waiting }, 'client_cut');
    this.#delivery.cut();
  }

  /** Says why, and closes the engine: unlike `disconnect` that leaves the client reconnecting, which may have another token. */
  #end(reason: RefusalReason | undefined, code: ErrorCode, message: string): void {
    if (this.#isEnding || !this.socket.connected) return;
    this.#isEnding = true;
    if (reason !== undefined) this.#refused(reason);
    this.#options.log.info({ sid: this.socket.id, code }, 'client_closed');
    this.socket.emit('closing', { code, message });
    this.socket.conn.close();
    const timer = setTimeout(() => {
      this.#delivery.cut();
    }, LAST_WORDS_MS);
    timer.unref();
    this.socket.once('disconnect', () => {
      clearTimeout(timer);
    });
  }

  /** What is over the limit leaves no line, or the limit would not protect the log. */
  #refuse(name: string | number, error: unknown): void {
    const { code } = refusalFor(error).error;
    if (isUnknown(error)) this.#refused('unknown_message');
    else this.#options.counters.refusedWith(code);
    if (code === 'RateLimited') return;
    const entry = { sid: this.socket.id, message: String(name).slice(0, MOST_NAME), code, error: messageOf(error) };
    this.#options.log[code === 'Unexpected' ? 'error' : 'info'](entry, 'client_refused');
  }

  #refused(reason: RefusalReason): void {
    this.#options.counters.refused(reason);
  }
}

/** A frame of bytes, or the head of a packet that announces some. */
function isBinary(data: unknown): boolean {
  return typeof data !== 'string' || data.startsWith('5') || data.startsWith('6');
}

function isUnknown(error: unknown): boolean {
  return error instanceof HoldfastError && error.details['reason'] === 'unknown_message';
}

export function refusalFor(error: unknown) {
  if (error instanceof HoldfastError)
    return { ok: false, error: { code: error.code, message: error.message } } as const;
  return { ok: false, error: { code: 'Unexpected', message: 'The gateway failed to answer.' } } as const;
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
