/** The node kinds a command knows: those Holdfast ships, and own ones from the environment and `--nodes`. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { kindCatalogue, type NodeKinds } from '../activities/kinds';
import { withOwnKinds } from '../activities/load-kinds';
import { loadConfig } from '../config/config';
import type { Io } from './io';

/** The option may be given more than once. */
export function collectModule(module: string, before: readonly string[] = []): readonly string[] {
  return [...before, resolve(module)];
}

/** By full path, each once. Throws `ConfigurationInvalid`. */
export function nodeModulesOf(command: Command, io: Io): readonly string[] {
  const { nodes = [] } = command.optsWithGlobals<{ nodes?: readonly string[] }>();
  return [...new Set([...loadConfig(io.environment).nodes, ...nodes])];
}

/** Throws `ConfigurationInvalid` and `KindsInvalid`. */
export function kindsFor(command: Command, io: Io): NodeKinds {
  return withOwnKinds(kindCatalogue, nodeModulesOf(command, io));
}
