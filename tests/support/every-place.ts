/** Everything a running system has written, as text by place: what a search for secrets looks through. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { Redis } from 'ioredis';
import type { Places } from './secret-search';
import type { WholeStack } from './whole-stack';

const { History } = temporal.api.history.v1;

/** All of it. The processes themselves are asked for what they said, and the blobs are files. */
export async function everyPlace(stack: WholeStack): Promise<Places> {
  const { worker, gateway, home } = stack.parts;
  const parts = await Promise.all([histories(stack), redisKeys(stack), tables(stack), answers(stack)]);
  const logs = { 'log of the worker': worker.said, 'log of the gateway': gateway.said };
  return Object.fromEntries([logs, files(home), ...parts].flatMap((places: Places) => Object.entries(places)));
}

function files(folder: string): Places {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return named(
    'file',
    all.map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name), 'utf8')] as const),
  );
}

function named(kind: string, texts: Iterable<readonly [string, string]>): Places {
  return Object.fromEntries([...texts].map(([name, text]) => [`${kind} ${name}`, text]));
}

/** Of every run in the namespace, with what the payloads say. */
async function histories({ environment }: WholeStack): Promise<Places> {
  const { TEMPORAL_ADDRESS: address = '', TEMPORAL_NAMESPACE: namespace = '' } = environment;
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new TemporalClient({ connection, namespace });
    const found: [string, string][] = [];
    for await (const { workflowId, runId } of workflow.list()) {
      const handle = workflow.getHandle(workflowId, runId);
      const [history, { raw }] = await Promise.all([handle.fetchHistory(), handle.describe()]);
      const plain = History.toObject(History.fromObject(history), { longs: String });
      found.push([`${workflowId} ${runId}`, JSON.stringify([plain, raw], readable)]);
    }
    return named('history', found);
  } finally {
    await connection.close();
  }
}

/** Bytes as the text they are. */
function readable(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBuffer ? Buffer.from((value as unknown as { data: number[] }).data).toString('utf8') : value;
}

type Reader = (redis: Redis, key: string) => Promise<unknown>;
const READERS: Readonly<Record<string, Reader>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, 0, '-1', 'WITHSCORES'),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
};

/** Nothing of a key that has expired since it was listed: Redis calls its type `none`. */
async function readKey(redis: Redis, key: string): Promise<[string, string][]> {
  const type = await redis.type(key);
  if (type === 'none') return [];
  const read = READERS[type];
  if (read === undefined) throw new Error(`nobody reads a ${type}`);
  return [[`${type} ${key}`, `${key} ${JSON.stringify(await read(redis, key))}`]];
}

async function redisKeys({ parts }: WholeStack): Promise<Places> {
  const redis = new Redis(parts.redis.url);
  try {
    const found: [string, string][] = [];
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000);
      for (const key of keys) found.push(...(await readKey(redis, key)));
      cursor = next;
    } while (cursor !== '0');
    return named('redis', found);
  } finally {
    redis.disconnect();
  }
}

async function tables({ parts: { postgresql } }: WholeStack): Promise<Places> {
  const names = await postgresql.sql(
    "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables WHERE table_schema IN ('holdfast', 'public')",
  );
  const found: [string, string][] = [];
  for (const { name } of names) {
    const rows = await postgresql.sql(`SELECT to_jsonb(each)::text AS row FROM ${String(name)} AS each`);
    found.push([String(name), rows.map(({ row }) => String(row)).join('\n')]);
  }
  return named('table', found);
}

/** Of every address that is read, as the gateway describes them, with every id that is known. */
async function answers(stack: WholeStack): Promise<Places> {
  const { executions } = await stack.json<{ executions: { execution_id: string }[] }>('/api/executions?limit=200');
  const { orders } = await stack.json<{ orders: { order_id: string }[] }>('/api/orders?limit=1000');
  const ids: Readonly<Record<string, readonly string[]>> = {
    '/api/executions/': executions.map(({ execution_id }) => execution_id),
    '/api/orders/': orders.map(({ order_id }) => order_id),
    '/api/emergency/': ['global', 'venue:scripted'],
  };
  const { paths: described } = await stack.json<{ paths: Record<string, { get?: object }> }>('/api/openapi.json');
  const addresses = Object.entries(described).flatMap(([address, { get }]) => (get === undefined ? [] : [address]));
  const paths = addresses.flatMap((address) => {
    const [before = '', after] = address.split(/\{\w+\}/);
    return after === undefined
      ? [address]
      : (ids[before] ?? ['secretive']).map((id) => `${before}${encodeURIComponent(id)}${after}`);
  });
  const found: [string, string][] = [];
  for (const path of paths) found.push([path, (await stack.get(path)).text]);
  const metrics = await fetch(`http://${stack.environment['HOLDFAST_METRICS_ADDRESS'] ?? ''}/metrics`);
  return { ...named('answer to', found), 'metrics of the worker': await metrics.text() };
}
