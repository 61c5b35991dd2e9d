/** The facts of one profile, one line per request, only ever appended to. */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { HoldfastError, messageOf } from '../errors';
import type { BookEvent } from './orders';

/**
 * Written in one go and not synced: it outlives the process, whatever ends that, but not the machine. A last line without its end was
 * never answered for, so it is cut off.
 */
export class JournalFile {
  readonly #file: number;

  private constructor(file: number) {
    this.#file = file;
  }

  /** Throws `DataUnavailable` when a line cannot be read. */
  static open(path: string): { readonly journal: JournalFile; readonly events: readonly BookEvent[] } {
    const events = existsSync(path) ? readBack(path) : [];
    return { journal: new JournalFile(openSync(path, 'a', 0o600)), events };
  }

  readonly keep = (events: readonly BookEvent[]): void => {
    const line = Buffer.from(`${JSON.stringify(events)}\n`);
    const before = fstatSync(this.#file).size;
    if (writeSync(this.#file, line) === line.length) return;
    ftruncateSync(this.#file, before);
    throw new HoldfastError('Unexpected', 'The journal of the paper venue cannot be written: no room is left.');
  };

  close(): void {
    closeSync(this.#file);
  }
}

function readBack(path: string): readonly BookEvent[] {
  const bytes = readFileSync(path);
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  if (whole.length < bytes.length) truncateSync(path, whole.length);
  const lines = whole.toString('utf8').split('\n').slice(0, -1);
  return lines.flatMap((line, index) => parseLine(line, `${path}:${index + 1}`));
}

function parseLine(line: string, where: string): BookEvent[] {
  try {
    return JSON.parse(line) as BookEvent[];
  } catch (error) {
    throw new HoldfastError(
      'DataUnavailable',
      `The journal of the paper venue is damaged, ${where}: ${messageOf(error)}`,
    );
  }
}
