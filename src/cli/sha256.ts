import { createHash } from 'node:crypto';

/** As hex digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
