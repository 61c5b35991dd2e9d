/** The workflows' code as tests run it: bundled from source once per change, with coverage counters when coverage is asked for. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { bundleWorkflowCode, type BundleOptions } from '@temporalio/worker';

const SOURCE = resolve(__dirname, '../../src');
/** Inside the checkout: the counters in a bundle name the files they count by full path, so no other checkout can use it. */
const CACHE = resolve(__dirname, '../../node_modules/.cache/holdfast');
const INTERCEPTORS = join(SOURCE, 'workflows/interceptors.ts');
const COUNTER = resolve(__dirname, 'coverage-interceptor.ts');
/** Pure rooms are counted by their unit tests; two instrumentations of one file cannot be merged. */
const COUNTED = /[/\\]src[/\\]workflows[/\\]/;

export const workflowCoverage = new WorkflowCoverage();
export const isCounting = '__coverage__' in globalThis;

/** Adds what the workflows counted to what Jest collects: as plain data, which alone survives the way to Jest's own process. */
export function collectWorkflowCoverage(): void {
  workflowCoverage.mergeIntoGlobalCoverage();
  const holder = globalThis as { __coverage__?: unknown };
  if (isCounting) holder.__coverage__ = JSON.parse(JSON.stringify(holder.__coverage__));
}

/** Only a worker in the test's own process can take the counters; for others `counted` is false. */
export async function testBundle(counted = isCounting): Promise<{ codePath: string }> {
  const codePath = join(CACHE, `test-bundle-${fingerprint(counted)}.js`);
  if (existsSync(codePath)) return { codePath };
  mkdirSync(CACHE, { recursive: true });
  const { code } = await bundleWorkflowCode(bundleOptions(counted));
  const partial = `${codePath}.${process.pid}`;
  writeFileSync(partial, code);
  renameSync(partial, codePath);
  return { codePath };
}

function bundleOptions(counted: boolean): BundleOptions {
  const options: BundleOptions = {
    workflowsPath: join(SOURCE, 'workflows/index.ts'),
    payloadConverterPath: join(SOURCE, 'workflows/payload-converter.ts'),
    workflowInterceptorModules: [INTERCEPTORS],
    logger: { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, log: ignore },
  };
  // The SDK freezes what is preloaded, and counters must count.
  if (!counted) return { ...options, preloadModules: [join(SOURCE, 'workflows/preload.ts')] };
  const augmented = workflowCoverage.augmentBundleOptions(options);
  return {
    ...augmented,
    workflowInterceptorModules: [INTERCEPTORS, COUNTER],
    webpackConfigHook: (config) => {
      const hooked = augmented.webpackConfigHook?.(config) ?? config;
      const counter = hooked.module?.rules?.at(-1);
      if (typeof counter === 'object' && counter !== null) counter.include = COUNTED;
      return hooked;
    },
  };
}

const ignore = (): void => undefined;

function fingerprint(counted: boolean): string {
  const hash = createHash('sha256').update(counted ? 'counted' : 'plain');
  for (const room of ['workflows', 'graph', 'events', 'emergency']) {
    for (const file of readdirSync(join(SOURCE, room)).sort()) hash.update(readFileSync(join(SOURCE, room, file)));
  }
  hash.update(readFileSync(COUNTER));
  for (const file of ['error-catalogue.ts', 'errors.ts', 'json.ts', 'money.ts'])
    hash.update(readFileSync(join(SOURCE, file)));
  return hash.digest('hex').slice(0, 16);
}
