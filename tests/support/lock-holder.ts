/** Takes the lock of the folder given, says so, and never lets go. */
import { withLock } from '../../src/local-stack/lock';

void withLock(process.argv[2] ?? '', 10_000, () => {
  process.stdout.write('held\n');
  return new Promise(() => setInterval(() => undefined, 60_000));
});
