/** From text to a plain document, with the place of everything in it. */
import { Composer, Lexer, Parser } from 'yaml';
import type { CST, Document } from 'yaml';
import { readJsonPlaces } from './json-places';
import type { Doubled } from './json-places';
import { MAX_BYTES, MAX_DEPTH, bytesOf } from './limits';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { createLineTable, offsetOf } from './positions';
import type { Place, Position } from './positions';
import { readYamlPlaces } from './yaml-places';
import type { Refused } from './yaml-places';

export interface ParsedText {
  /** Plain data as JSON has it, though numbers may be infinite; undefined when the text cannot be read. */
  readonly document: unknown;
  /** Where a JSON pointer leads, or its nearest existing ancestor; undefined when the text cannot be read. */
  readonly locate: (pointer: string) => Position | undefined;
  /** With line and column. */
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads a graph's text. A text whose first character is `{` or `[` is JSON, strictly; any other is YAML 1.2 (core schema, one
 * document, no tags). Never throws.
 */
export function parseGraphText(text: string): ParsedText {
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (bytesOf(body) > MAX_BYTES) return unreadable([mistake('too_large', '', 'The text is larger than 1 MiB.')]);
  return /^\s*[[{]/.test(body) ? parseJson(body) : parseYaml(body);
}

function parseJson(text: string): ParsedText {
  const positionAt = createLineTable(text);
  const places = readJsonPlaces(text);
  if (!places.ok) return unreadable([refusal(places, 'JSON', positionAt)]);
  return readable(JSON.parse(text), { ...places, positionAt });
}

/** `%YAML 1.1` cannot bring dates and merge keys back: a schema given here overrides the document's own. */
const YAML_OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: 'silent',
} as const;
/** Bounds what aliases of aliases can multiply to. */
const MAX_ALIASES = 100;

function parseYaml(text: string): ParsedText {
  const positionAt = createLineTable(text);
  const refuse = (refused: Refused) => unreadable([refusal(refused, 'YAML', positionAt)]);
  const tokens = tokensOf(text);
  if (typeof tokens === 'number') return refuse({ offset: tokens, reason: 'depth', message: DEPTH_MESSAGE });
  const documents = new Composer(YAML_OPTIONS).compose(tokens, true, text.length);
  const document = documents.next().value as Document.Parsed;
  const second = documents.next().value as Document.Parsed | undefined;
  if (second) return refuse({ offset: second.range[0], reason: 'syntax', message: 'it holds more than one document' });
  const places = readYamlPlaces(document);
  const [first] = [...syntaxErrors(document), ...places.refused];
  if (first) return refuse(first);
  try {
    return readable(document.toJS({ maxAliasCount: MAX_ALIASES }), { ...places, positionAt });
  } catch {
    return refuse({
      offset: 0,
      reason: 'syntax',
      message: 'an alias names no anchor before it, or there are too many',
    });
  }
}

const DEPTH_MESSAGE = `nested deeper than ${MAX_DEPTH} levels`;

/**
 * The tokens of a text, or the offset of the first collection below the limit. The library's parser is iterative but its composer
 * recurses, and one that has used up the call stack can take the whole process down: V8 aborts when it cannot compile a regular
 * expression there.
 */
function tokensOf(text: string): CST.Token[] | number {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    const top = parser.stack.at(-1);
    // Below the collections lies the document.
    if (top && 'items' in top && parser.stack.length > MAX_DEPTH + 1) return top.offset;
  }
  tokens.push(...parser.end());
  return tokens;
}

/** Only the first is told to people: those after it are mostly its echoes. */
function syntaxErrors({ errors, warnings }: Document.Parsed): Refused[] {
  return [...errors, ...warnings].map(({ message, pos }) => ({
    offset: pos[0],
    reason: 'syntax',
    message: message.replace(/\.$/, ''),
  }));
}

interface Reading {
  readonly root: Place;
  readonly doubled: readonly Doubled[];
  readonly positionAt: (offset: number) => Position;
}

function readable(document: unknown, { root, doubled, positionAt }: Reading): ParsedText {
  if (typeof document !== 'object' || document === null) {
    const message = 'The text holds no graph: a graph is a JSON or YAML object.';
    return unreadable([{ ...mistake('syntax', '', message), ...positionAt(0) }]);
  }
  return {
    document,
    locate: (pointer) => positionAt(offsetOf(root, pointer)),
    mistakes: doubled.map(({ pointer, offset }) => ({ ...doubledKey(pointer), ...positionAt(offset) })),
  };
}

function doubledKey(pointer: string): Mistake {
  return mistake('duplicate_key', pointer, 'This key stands twice in the same object.');
}

function refusal({ reason, offset, message }: Refused, language: string, positionAt: Reading['positionAt']): Mistake {
  const sentence = `The text is not valid ${language}: ${message}.`;
  return { ...mistake(reason === 'depth' ? 'too_large' : 'syntax', '', sentence), ...positionAt(offset) };
}

function unreadable(mistakes: Mistake[]): ParsedText {
  return { document: undefined, locate: () => undefined, mistakes };
}
