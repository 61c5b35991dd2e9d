/** The sandbox loads what the bundle holds, for every execution: so nothing of the outside may slip in. */
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflowCode } from '@temporalio/worker';

describe('the workflow bundle', () => {
  const modules: string[] = [];

  beforeAll(async () => {
    const ignore = (): void => undefined;
    await bundleWorkflowCode({
      workflowsPath: join(__dirname, '../../src/workflows/index.ts'),
      payloadConverterPath: join(__dirname, '../../src/workflows/payload-converter.ts'),
      workflowInterceptorModules: [join(__dirname, '../../src/workflows/interceptors.ts')],
      logger: { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, log: ignore },
      webpackConfigHook: (config) => ({
        ...config,
        plugins: [
          ...(config.plugins ?? []),
          {
            apply: (compiler) => {
              compiler.hooks.compilation.tap('test', (compilation) => {
                compilation.hooks.finishModules.tap('test', (found) => {
                  for (const each of found) modules.push(each.identifier().replaceAll('\\', '/'));
                });
              });
            },
          },
        ],
      }),
    });
  });

  it('holds the workflows and their pure rooms', () => {
    const own = modules.flatMap(
      (each) => /\/src\/((?:workflows|graph|emergency|events)\/[\w-]+)\.ts$/.exec(each)?.[1] ?? [],
    );
    expect(own).toEqual(
      expect.arrayContaining([
        'workflows/run-graph',
        'workflows/emergency-desk',
        'graph/scheduler',
        'emergency/decide',
        'events/build',
      ]),
    );
    expect(own).not.toContain('graph/schema');
  });

  it.each([
    'zod',
    'ioredis',
    'pino',
    'socket.io',
    'fastify',
    'yaml',
    'jsep',
    'trading-signals',
    'jose',
    '@temporalio/client',
    '@temporalio/worker',
    '@temporalio/activity',
  ])('holds nothing of %s', (name) => {
    expect(modules.filter((each) => each.includes(`/node_modules/${name}/`))).toEqual([]);
  });

  it('holds no room of the outside and no Node built-in', () => {
    const rooms = modules.filter((each) =>
      /\/src\/(activities|worker|gateway|temporal-client|event-log|config|cli|local-stack|venues)\//.test(each),
    );
    expect(rooms).toEqual([]);
    // The SDK replaces two of them by its own versions.
    const external = modules.filter((each) => each.startsWith('external '));
    const builtin = external.filter((each) =>
      builtinModules.some((name) => each.includes(`"${name}"`) || each.includes(`node:${name}`)),
    );
    expect(builtin).toEqual([]);
  });
});
