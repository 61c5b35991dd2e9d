/** The SDK's runtime of this process, installed once and before anything of the SDK is used. */
import { DefaultLogger, Runtime, type LogLevel, type RuntimeOptions } from '@temporalio/worker';
import { HoldfastError, messageOf } from '../errors';
import type { Logger } from '../logging';
import { EVENT_LATENCY } from './event-metrics';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/**
 * The SDK's own lines go into the same log; its debug chatter is not asked for. Where an address is given, the metrics, the
 * SDK's and our own, can be scraped from `http://<address>/metrics`. Throws `PortTaken`, `ConfigurationInvalid`.
 */
export function installRuntime(log: Logger, metricsAddress: string | undefined): void {
  const logger = new DefaultLogger('INFO' satisfies LogLevel, ({ level, message, meta }) => {
    log[levels[level]]({ ...meta }, message);
  });
  const options = { logger, shutdownSignals: [] };
  if (metricsAddress === undefined) Runtime.install(options);
  else installWithMetrics(options, metricsAddress);
}

function installWithMetrics(options: RuntimeOptions, bindAddress: string): void {
  try {
    const histogramBucketOverrides = { [EVENT_LATENCY.name]: [...EVENT_LATENCY.buckets] };
    Runtime.install({
      ...options,
      telemetryOptions: { metrics: { prometheus: { bindAddress, histogramBucketOverrides } } },
    });
  } catch (error) {
    const message = messageOf(error);
    const code = /already in use/i.test(message) ? 'PortTaken' : 'ConfigurationInvalid';
    throw new HoldfastError(code, `HOLDFAST_METRICS_ADDRESS ${bindAddress}: ${message}`);
  }
}
