/** `--input name=value` and `--inputs FILE`. */
import { isObject } from '../json';
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { HoldfastError, messageOf } from '../errors';
import { parseGraphText } from '../graph/parse';
import type { Graph } from '../graph/schema';
import type { StartInputs } from '../temporal-client/holdfast-client';

export interface InputOptions {
  readonly input?: readonly Given[];
  readonly inputs?: string;
}

interface Given {
  readonly name: string;
  readonly text: string;
}

export function addInputOptions(command: Command): Command {
  return command
    .option('--input <name=value>', 'value for an input the graph declares; may be repeated', oneMore)
    .option('--inputs <file>', 'values from a JSON or YAML object; --input goes over it');
}

function oneMore(text: string, before: readonly Given[] = []): readonly Given[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Use name=value.');
  return [...before, { name: text.slice(0, at), text: text.slice(at + 1) }];
}

/** Undefined when none were given. Throws `FileUnreadable`, `BadRequest`. */
export function startInputs(graph: Graph, { input, inputs }: InputOptions): StartInputs | undefined {
  if (input === undefined && inputs === undefined) return undefined;
  const typed = (input ?? []).map(({ name, text }) => [name, read(text, graph.inputs?.[name]?.type)] as const);
  return { ...(inputs === undefined ? {} : fromFile(inputs)), ...Object.fromEntries(typed) };
}

/**
 * The declared type decides, so that a price stays the text it is and no quoting is needed: `text` and `decimal` as written, everything else as
 * JSON where it is JSON. An undeclared name is refused later, whatever its value.
 */
function read(text: string, type: string | undefined): unknown {
  if (type === undefined || type === 'text' || type === 'decimal') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function fromFile(file: string): StartInputs {
  const { document, mistakes } = parseGraphText(textOf(file));
  if (isObject(document) && mistakes.length === 0) return document;
  const why = mistakes[0]?.message ?? 'It is not an object of names and values.';
  throw new HoldfastError('BadRequest', `${file} holds no inputs. ${why}`, { file });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldfastError('FileUnreadable', `${file} cannot be read: ${messageOf(error)}.`, { file });
  }
}
