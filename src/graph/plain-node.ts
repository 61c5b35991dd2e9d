/** A node whose shape is right at first sight: what the schema would take half of its time for. */
import { isObject } from '../json';
import { durationMs } from './duration';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';

function areTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['type', isText],
  ['params', isObject],
  ['inputs', (value) => isObject(value) && areTexts(Object.values(value))],
  ['after', (value) => Array.isArray(value) && areTexts(value)],
  ['when', isText],
  ['join', (value) => value === 'all' || value === 'any' || (Number.isSafeInteger(value) && (value as number) > 0)],
  ['on_error', (value) => value === 'fail' || value === 'continue'],
  ['timeout', (value) => durationMs(value) !== undefined],
  ['max_age', (value) => durationMs(value) !== undefined],
]);

/** True only for what the schema accepts; false says nothing. The value is plain data. */
export function isPlainNode(node: unknown): boolean {
  if (!isObject(node) || !Object.hasOwn(node, 'type')) return false;
  for (const key of Object.keys(node)) if (CHECKS.get(key)?.(node[key]) !== true) return false;
  return true;
}
