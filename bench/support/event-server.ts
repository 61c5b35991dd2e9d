/**
 * What people write by hand, in a process of its own: `bare` hears events on a Redis channel and emits them to a room; `adapter` is the second
 * server of the Redis adapter's recipe, to which another server's emits come. Clients join rooms as they do at the gateway. Nothing is
 * authorised, numbered, kept, or filled when it was missed.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { loadConfig } from '../../src/config/config';
import type { EventEnvelope } from '../../src/events/envelope';

async function main([mode = '', channel = '']: readonly string[]): Promise<void> {
  const { url } = loadConfig().redis;
  const http = createServer();
  const io = new Server(http, { serveClient: false });
  io.on('connection', (socket) => {
    socket.on('subscribe_bot', ({ bot_id }: { readonly bot_id: string }, acknowledge: (answer: object) => void) => {
      void socket.join(`bot:${bot_id}`);
      acknowledge({ ok: true });
    });
  });
  const redis = new Redis(url);
  if (mode === 'adapter') io.adapter(createAdapter(redis, redis.duplicate()));
  else {
    await redis.subscribe(channel);
    redis.on('message', (_channel, text) => {
      const event = JSON.parse(text) as EventEnvelope;
      io.to(`bot:${event.bot_id ?? ''}`).emit('workflow_event', event);
    });
  }
  http.listen(0, '127.0.0.1', () => {
    const { port } = http.address() as AddressInfo;
    process.send?.({ url: `http://127.0.0.1:${port}` });
  });
  process.once('disconnect', () => process.exit(0));
}

void main(process.argv.slice(2));
