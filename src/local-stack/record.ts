/** `.holdfast/stack.json`: what runs where, and who started it. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const identitySchema = z.object({ pid: z.number().int().positive(), started: z.string() });
const runsSchema = z.discriminatedUnion('as', [
  z.object({ as: z.literal('external') }),
  z.object({ as: z.literal('container'), id: z.string() }),
  identitySchema.extend({ as: z.literal('process') }),
]);

const recordSchema = z.object({
  version: z.literal(1),
  /** Who looks after the parts. When it no longer runs, its parts are orphans and the next start takes them over. */
  supervisor: identitySchema,
  /** It is being stopped: nothing to join, and its ports are free only once it is gone. */
  stopping: z.literal(true).optional(),
  temporal: z.object({ address: z.string(), ui_url: z.string().optional(), runs: runsSchema }).optional(),
  redis: z.object({ url: z.string(), runs: runsSchema }).optional(),
  postgresql: z.object({ url: z.string(), runs: runsSchema }).optional(),
  gateway: z.object({ url: z.string(), runs: runsSchema }).optional(),
  worker: z.object({ runs: runsSchema }).optional(),
  paper_venue: z.object({ url: z.string(), runs: runsSchema }).optional(),
});

export type Runs = z.infer<typeof runsSchema>;
export type StackRecord = z.infer<typeof recordSchema>;

export interface StackPaths {
  readonly home: string;
  readonly record: string;
  readonly locks: string;
  readonly logs: string;
  readonly secret: string;
  readonly closing_key: string;
  readonly temporal_database: string;
  readonly redis: string;
  readonly postgresql: string;
}

export function stackPaths(home: string): StackPaths {
  const root = resolve(home);
  return {
    home: root,
    record: join(root, 'stack.json'),
    locks: join(root, 'locks'),
    logs: join(root, 'logs'),
    secret: join(root, 'secret'),
    closing_key: join(root, 'closing-key'),
    temporal_database: join(root, 'temporal.db'),
    redis: join(root, 'redis'),
    postgresql: join(root, 'postgresql'),
  };
}

/** Nothing when there is none, or when it is not one of ours. */
export async function readRecord(paths: StackPaths): Promise<StackRecord | undefined> {
  try {
    return recordSchema.safeParse(JSON.parse(await readFile(paths.record, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export async function writeRecord(paths: StackPaths, record: StackRecord): Promise<void> {
  await writePrivate(paths.record, `${JSON.stringify(record, undefined, 2)}\n`);
}

export async function removeRecord(paths: StackPaths): Promise<void> {
  await rm(paths.record, { force: true });
}

/** The secret gateway tokens are signed with; made at the first start, readable by its owner alone. */
export async function readSecret(paths: StackPaths): Promise<string> {
  return readOrMake(paths.home, paths.secret);
}

/** What closings of the emergency desk are signed with; made and kept in the same way. */
export async function readClosingKey(paths: StackPaths): Promise<string> {
  return readOrMake(paths.home, paths.closing_key);
}

async function readOrMake(home: string, path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    const secret = randomBytes(32).toString('hex');
    await mkdir(home, { recursive: true });
    await writePrivate(path, `${secret}\n`);
    return secret;
  }
}

async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
}
