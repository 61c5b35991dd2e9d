/** Obtains the Temporal command line: given, on PATH, cached, downloaded, or built with Go. */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { LocalStackConfig } from '../config/config';
import { HoldfastError, messageOf } from '../errors';
import { findProgram, isExecutable, run } from './programs';
import { seconds, type Progress } from './progress';
import { firstOf, type Way } from './search-chain';

const VERSION = '1.5.1';
const PACKAGE = `github.com/temporalio/cli/cmd/temporal@v${VERSION}`;
/** No byte for so long and the download counts as failed: a blocked network must not hold up the build with Go. */
const STALL_MS = 10_000;
const BUILD_MS = 15 * 60_000;

export interface TemporalCli {
  readonly path: string;
  readonly version: string;
  /** Which way it was obtained, for people. */
  readonly source: string;
}

/** What is here without fetching anything. `HOLDFAST_TEMPORAL_CLI` is a command, so nothing else is tried beside it. */
export function localWays(config: LocalStackConfig): Way<TemporalCli>[] {
  const given = config.temporal_cli;
  if (given !== undefined) return [way('HOLDFAST_TEMPORAL_CLI', () => Promise.resolve(given))];
  const onPath = way('temporal on PATH', async () => {
    return (await findProgram(['temporal'], config.search_path)) ?? refuse('not found');
  });
  const cached = way('cache', async () => {
    const path = cachedPath(config);
    return (await isExecutable(path)) ? path : refuse(`${path} does not exist`);
  });
  return [onPath, cached];
}

/** Throws `TemporalUnavailable` naming every way that was tried. */
export async function obtainTemporalCli(config: LocalStackConfig, progress: Progress): Promise<TemporalCli> {
  const headline = 'No Temporal server could be found, downloaded or built:';
  const local = localWays(config);
  if (config.temporal_cli !== undefined) return firstOf('TemporalUnavailable', headline, local);
  const fetched = [
    way('download', () => progress.step('Temporal downloaded', (note) => download(config, note))),
    way('go install', () => build(config, progress)),
  ];
  const address: Way<TemporalCli> = {
    name: 'TEMPORAL_ADDRESS',
    obtain: () => refuse('not set'),
  };
  const command: Way<TemporalCli> = { ...address, name: 'HOLDFAST_TEMPORAL_CLI' };
  return firstOf('TemporalUnavailable', headline, [address, command, ...local, ...fetched]);
}

/** A program that does not say its version is not taken, whatever way it came. */
function way(name: string, find: () => Promise<string>): Way<TemporalCli> {
  const obtain = async (): Promise<TemporalCli> => {
    const path = await find();
    return { path, version: await versionOf(path), source: name };
  };
  return { name, obtain };
}

async function versionOf(path: string): Promise<string> {
  const printed = await run(path, ['--version'], { timeout_ms: 20_000 }).catch((error: unknown) =>
    refuse(`${path} does not run: ${messageOf(error)}`),
  );
  return /^temporal version (.+)$/m.exec(printed)?.[1] ?? refuse(`${path} is not the Temporal command line`);
}

async function download(config: LocalStackConfig, note: (detail: string) => void): Promise<string> {
  return intoCache(config, async (folder) => {
    const archive = join(folder, 'archive.tar.gz');
    await save(archiveUrl(config), archive, note);
    await run('tar', ['-xzf', archive, '-C', folder], { timeout_ms: 120_000 });
    await versionOf(join(folder, 'temporal'));
  });
}

function archiveUrl(config: LocalStackConfig): string {
  const platform = process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return `${config.temporal_download_url}/v${VERSION}?platform=${platform}&arch=${arch}`;
}

async function save(url: string, path: string, note: (detail: string) => void): Promise<void> {
  const stalled = new AbortController();
  const stall = setTimeout(() => {
    stalled.abort(new Error(`nothing received from ${url} for ${seconds(STALL_MS)}`));
  }, STALL_MS);
  try {
    const response = await fetch(url, { signal: stalled.signal });
    if (!response.ok || response.body === null) return refuse(`${url} answered ${response.status}`);
    let received = 0;
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    body.on('data', (chunk: Uint8Array) => {
      stall.refresh();
      received += chunk.length;
      note(`${(received / 1e6).toFixed(0)} MB`);
    });
    await pipeline(body, createWriteStream(path));
  } catch (error) {
    throw causeOf(error, url);
  } finally {
    clearTimeout(stall);
  }
}

/** `fetch failed` says nothing; its cause does. */
function causeOf(error: unknown, url: string): Error {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new Error(error === cause ? messageOf(error) : `${url}: ${messageOf(cause)}`);
}

async function build(config: LocalStackConfig, progress: Progress): Promise<string> {
  const go = (await findProgram(['go'], config.search_path)) ?? refuse('go is not on PATH');
  return progress.step('Temporal built with go install (takes about three minutes, once)', () =>
    intoCache(config, async (folder) => {
      await run(go, ['install', PACKAGE], { timeout_ms: BUILD_MS, environment: { GOBIN: folder } });
    }),
  );
}

/** Fills a folder of its own, then moves the program into the cache in one step: half a program is never found there. */
async function intoCache(config: LocalStackConfig, fill: (folder: string) => Promise<void>): Promise<string> {
  const path = cachedPath(config);
  await mkdir(join(path, '..'), { recursive: true });
  const folder = await mkdtemp(join(path, '..', 'incoming-'));
  try {
    await fill(folder);
    await rename(join(folder, 'temporal'), path);
    return path;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cachedPath(config: LocalStackConfig): string {
  return join(config.cache, `temporal-cli-${VERSION}`, 'temporal');
}

function refuse(reason: string): never {
  throw new HoldfastError('TemporalUnavailable', reason);
}
