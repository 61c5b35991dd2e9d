/** The gateway process. */
import { join } from 'node:path';
import { kindCatalogue } from '../activities/kinds';
import { withOwnKinds } from '../activities/load-kinds';
import { loadConfig, type Config } from '../config/config';
import { HoldfastError, messageOf } from '../errors';
import { openJournal } from '../journal/journal';
import { createLogger, type Logger } from '../logging';
import { HoldfastClient } from '../temporal-client/holdfast-client';
import { openTracer } from '../tracing/tracer';
import { createGateway } from './create-gateway';
import { safeSecret } from './safety';

/** What is left after this long is cut off, milliseconds. */
const CLOSE_DEADLINE_MS = 5_000;

async function main(): Promise<void> {
  const config = loadConfig();
  // Before anything is connected: what is wrong here is wrong whatever answers.
  safeSecret(config.gateway);
  const log = createLogger('gateway', config.log);
  const client = await HoldfastClient.connect(config.temporal);
  const page = join(__dirname, '..', 'dashboard');
  const kinds = withOwnKinds(kindCatalogue, config.nodes);
  const journal = createJournal(config.journal.url, log);
  const { endpoint } = config.tracing;
  const tracer = endpoint === undefined ? undefined : await openTracer({ endpoint, service: 'holdfast-gateway' });
  const gateway = await createGateway({
    ...{ config: config.gateway, limits: config.gateway.limits, redis: config.redis },
    closing_key: config.emergency.closing_key,
    ...{ client, journal, kinds, log, page, tracer, web_ui: webUiOf(config) },
  });
  const url = await gateway.listen();
  log.info({ url }, 'gateway_ready');
  const stop = (signal: string) => {
    log.info({ signal }, 'gateway_stopping');
    setTimeout(() => process.exit(0), CLOSE_DEADLINE_MS).unref();
    void end(log, async () => {
      await gateway.close();
      await tracer?.close();
      await journal.close();
      await client.close();
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

/** Of the namespace. */
function webUiOf({ gateway: { temporal_ui_url: url }, temporal: { namespace } }: Config): string | undefined {
  return url === undefined ? undefined : `${url.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}`;
}

function createJournal(url: string, log: Logger) {
  return openJournal(url, {
    onError: (error) => {
      log.warn({ error: error.message }, 'journal_connection_broke');
    },
  });
}

async function end(log: Logger, close: () => Promise<void>): Promise<void> {
  await close();
  log.info('gateway_stopped');
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof HoldfastError ? error.entry.exit_code : 1);
});
