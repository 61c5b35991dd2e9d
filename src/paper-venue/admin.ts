/** The way behind the counter: faults, and the books as they are. For programs on this machine. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { booksAsJson } from './books';
import type { Profile } from './profile';
import { Refusal } from './refusal';

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/;
const LOCAL_HOST = /^(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?$/;

export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address) || address === 'localhost';
}

export function addAdmin(app: FastifyInstance, profile: Profile): void {
  app.get('/books', (request) => {
    assertLocal(request);
    profile.advance();
    return { profile: profile.name, symbol: profile.market.id, ...booksAsJson(profile.books) };
  });
  app.get('/streams', (request) => {
    assertLocal(request);
    return { listeners: profile.streams.listeners };
  });
  app.get('/faults', (request) => {
    assertLocal(request);
    return profile.faults.settings;
  });
  app.post('/faults', (request) => {
    assertLocal(request);
    return profile.changeFaults(request.body);
  });
}

/** Neither from another machine nor from a page: a browser names where its page came from, or a host that is not this one. */
function assertLocal(request: FastifyRequest): void {
  const { origin, host = '' } = request.headers;
  const isLocal = isLoopback(request.socket.remoteAddress ?? '') && LOCAL_HOST.test(host) && origin === undefined;
  if (!isLocal) throw new Refusal(-1002, 'You are not authorized to execute this request.', 403);
}
