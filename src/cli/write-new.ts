import { writeFileSync } from 'node:fs';
import { HoldfastError, messageOf } from '../errors';

/** Writes a file that must not exist, unless `force`. Throws `BadRequest`. */
export function writeNew(file: string, text: string, force: boolean): void {
  try {
    writeFileSync(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') throw new HoldfastError('BadRequest', `${file} exists; --force overwrites it.`, { file });
    throw new HoldfastError('BadRequest', `${file} cannot be written: ${messageOf(error)}.`, { file });
  }
}
