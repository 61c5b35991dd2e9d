/** Temporal's development server, set up to lose nothing and to take 10 ms per hop instead of 100. */
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { asProcess, type PartPlan } from './part';
import { listens } from './ports';
import { start } from './programs';
import type { StackPaths } from './record';
import type { TemporalCli } from './temporal-cli';

/**
 * `transferProcessorMaxPollRPS` is what makes the stock server slow: its 20 per shard cost 93–100 ms per activity.
 * `maxInFlightUpdates` is 10 by default, and more updates are refused. `timerProcessorMaxTimeShift` is a second, which made a timer
 * of 1 ms fire after 490–600: every short wait, every retry, and every boundary between local activities. The cache of events is
 * 512 KiB by default: the events that schedule a thousand activities at once are larger, and the start of each read them all again.
 */
export const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 500,
  'history.visibilityProcessorMaxPollRPS': 200,
  'matching.rps': 20_000,
  'history.rps': 20_000,
  'frontend.rps': 20_000,
  'frontend.namespaceRPS': 20_000,
  'frontend.persistenceMaxQPS': 50_000,
  'history.persistenceMaxQPS': 50_000,
  'matching.persistenceMaxQPS': 50_000,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'history.maxInFlightUpdates': 1000,
  'history.timerProcessorMaxTimeShift': '1ms',
  'history.eventsCacheMaxSizeBytes': 33_554_432,
  'history.workflowIdReuseMinimalInterval': '10ms',
};
/** WAL with NORMAL loses nothing to a killed server and takes 10.6 instead of 20 ms per hop. */
const PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

export interface TemporalServer {
  readonly port: number;
  /** Nothing: without the Web UI. */
  readonly ui_port: number | undefined;
  readonly namespace: string;
}

export function temporalPlan(cli: () => Promise<TemporalCli>, server: TemporalServer, paths: StackPaths): PartPlan {
  const log = join(paths.logs, 'temporal.log');
  return {
    name: 'Temporal',
    log,
    ready_within_ms: 60_000,
    stop_within_ms: 10_000,
    launch: async () => {
      const { path } = await cli();
      return asProcess(await start({ program: path, args: serverArguments(server, paths), log }));
    },
    isReady: () => answersTemporal(`127.0.0.1:${server.port}`, server.namespace),
  };
}

/**
 * True when the frontend answers and has the namespace. The plain connect comes first: a gRPC channel that is refused
 * once waits a second before it tries again.
 */
export async function answersTemporal(address: string, namespace: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/);
  if (!(await listens(host, Number(port)))) return false;
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } finally {
    await connection.close();
  }
}

function serverArguments(server: TemporalServer, paths: StackPaths): string[] {
  const ui = server.ui_port === undefined ? ['--headless'] : ['--ui-port', String(server.ui_port)];
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(server.port), ...ui],
    ...['--db-filename', paths.temporal_database, '--namespace', server.namespace, '--log-level', 'warn'],
    ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  ];
}
