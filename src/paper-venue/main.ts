/** The paper venue process. */
import { join, resolve } from 'node:path';
import { loadConfig } from '../config/config';
import { HoldfastError, messageOf } from '../errors';
import { createLogger, type Logger } from '../logging';
import { recordedProfiles } from './recorded-profiles';
import { startPaperVenue } from './start-paper-venue';

const RECORDED_DATA = resolve(__dirname, '../../examples/data');

async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger('paper-venue', config.log);
  const profiles = await recordedProfiles(RECORDED_DATA, config.replay_speed);
  const directory = join(config.home, 'paper-venue');
  const venue = await startPaperVenue({ ...config.paper_venue, profiles, directory, log });
  log.info({ url: venue.url, profiles: profiles.map(({ profile }) => profile) }, 'paper_venue_ready');
  const stop = (signal: string) => {
    log.info({ signal }, 'paper_venue_stopping');
    void end(log, venue.close);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

async function end(log: Logger, close: () => Promise<void>): Promise<void> {
  await close();
  log.info('paper_venue_stopped');
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof HoldfastError ? error.entry.exit_code : 1);
});
