/** Worker, gateway and paper venue as child processes of the stack. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asProcess, type PartPlan } from './part';
import { start } from './programs';
import type { StackPaths } from './record';

/** The scripts Node runs. */
export interface ServiceScripts {
  readonly worker: string;
  readonly gateway: string;
  readonly paper_venue: string;
}

/** The line a worker logs once it polls. */
const WORKER_READY = '"worker_ready"';

export interface ServiceRequest {
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly paths: StackPaths;
}

/** As in the image. By default glibc lets every thread keep memory of its own: 30 MB more. */
export const workerEnvironment = { MALLOC_ARENA_MAX: '2' } as const;

/**
 * As in the image. Loading its code makes V8 give the process's own thread 32 MB for what is young, which it keeps and has no use for. The
 * threads of workflows, which have, are given V8's own measure again by `main.ts`: bounded like this a pure node takes a tenth more
 * processor time.
 */
export const workerFlags = ['--max-semi-space-size=4'] as const;

export function workerPlan(request: ServiceRequest): PartPlan {
  const log = join(request.paths.logs, 'worker.log');
  let before = 0;
  return {
    ...service('worker', log),
    launch: async () => {
      before = await sizeOf(log);
      // The stack has one worker, whatever the environment says of those elsewhere.
      const environment = { ...request.environment, ...workerEnvironment, HOLDFAST_WORKER_SERVES: 'graphs,desk' };
      return launchNode({ ...request, environment }, log, workerFlags);
    },
    isReady: async () => (await textAfter(log, before)).includes(WORKER_READY),
  };
}

export function gatewayPlan(request: ServiceRequest, url: string): PartPlan {
  const log = join(request.paths.logs, 'gateway.log');
  return { ...service('gateway', log), launch: () => launchNode(request, log), isReady: () => answersReady(url) };
}

export function paperVenuePlan(request: ServiceRequest, url: string): PartPlan {
  const log = join(request.paths.logs, 'paper-venue.log');
  return { ...service('paper venue', log), launch: () => launchNode(request, log), isReady: () => answersReady(url) };
}

/** Whether a gateway or a paper venue says that it is ready. */
export async function answersReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}

/** A worker may take up to ten seconds to hand back what it holds. */
function service(name: string, log: string) {
  return { name, log, ready_within_ms: 60_000, stop_within_ms: 15_000 };
}

async function launchNode({ script, environment }: ServiceRequest, log: string, flags: readonly string[] = []) {
  const args = [...flags, '--enable-source-maps', script];
  return asProcess(await start({ program: process.execPath, args, environment, log }));
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function textAfter(path: string, offset: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.max(0, size - offset));
    await file.read(buffer, 0, buffer.length, offset);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}
