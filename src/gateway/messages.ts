/** Reads what a client sent: a name there is, and the shape it asks for. */
import { HoldfastError } from '../errors';
import { messageSchemas, type Message, type MessageName } from './protocol';

export type AnyMessage = { readonly [N in MessageName]: { readonly name: N; readonly body: Message<N> } }[MessageName];

/** Characters of what a client wrote, in an answer. */
const MOST_NAME = 60;
const MOST_MISTAKE = 300;
/** Looked through so deep; no graph is deeper. */
const DEEPEST = 100;

/** Throws `BadRequest`. Socket.IO also takes numbers for names. */
export function readMessage(name: string | number, given: unknown): AnyMessage {
  if (!Object.hasOwn(messageSchemas, name)) {
    const message = `There is no message ${String(name).slice(0, MOST_NAME)}.`;
    throw new HoldfastError('BadRequest', message, { reason: 'unknown_message' });
  }
  if (hasPrototypeKey(given, DEEPEST)) throw new HoldfastError('BadRequest', `${name}: __proto__ is no field.`);
  const parsed = messageSchemas[name as MessageName].safeParse(given);
  if (parsed.success) return { name, body: parsed.data } as AnyMessage;
  const issue = parsed.error.issues[0];
  const mistake = `${name}: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(' ')}`;
  throw new HoldfastError('BadRequest', mistake.slice(0, MOST_MISTAKE));
}

/** The schemas of records pass over this key without a word. */
function hasPrototypeKey(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    depth === 0 ||
    Object.hasOwn(value, '__proto__') ||
    Object.values(value).some((each) => hasPrototypeKey(each, depth - 1))
  );
}
