import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Door } from '../../src/gateway/door';

class Connection extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
}
const requestFrom = (socket: Connection) => ({ socket }) as unknown as IncomingMessage;
const handshake = (address = '10.0.0.1') => requestFrom(new Connection(address));
const sessionOf = (request: IncomingMessage) => Object.assign(new EventEmitter(), { request });
const close = (emitter: unknown) => (emitter as EventEmitter).emit('close');

describe('the door', () => {
  it('lets so many in from one address and so many in all', () => {
    const door = new Door({ clients: 3, clients_per_address: 2 });
    const entered = ['10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3'].map((each) =>
      door.enter(handshake(each)),
    );
    expect(entered).toEqual([undefined, undefined, 'clients_of_address', undefined, 'clients']);
  });

  it('counts a session from its handshake to its end, also beyond its first connection', () => {
    const door = new Door({ clients: 1, clients_per_address: 1 });
    const request = handshake();
    expect(door.enter(request)).toBeUndefined();
    const session = sessionOf(request);
    door.adopt(session);
    close(request.socket);
    expect(door.enter(handshake())).toBe('clients');
    close(session);
    expect(door.enter(handshake())).toBeUndefined();
  });

  it('forgets a handshake that came to nothing', () => {
    const door = new Door({ clients: 1, clients_per_address: 1 });
    const request = handshake();
    door.enter(request);
    close(request.socket);
    expect(door.enter(handshake())).toBeUndefined();
  });

  it('lets nobody in who is gone already', () => {
    const door = new Door({ clients: 1, clients_per_address: 1 });
    const gone = new Connection('10.0.0.1');
    gone.destroyed = true;
    expect(door.enter(requestFrom(gone))).toBe('clients');
    expect(door.enter(handshake())).toBeUndefined();
  });

  it('is not moved by a session it never saw enter', () => {
    const door = new Door({ clients: 1, clients_per_address: 1 });
    const session = sessionOf(handshake());
    door.adopt(session);
    close(session);
    expect([door.enter(handshake()), door.enter(handshake())]).toEqual([undefined, 'clients']);
  });
});
