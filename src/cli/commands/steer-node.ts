/** approve, retry, skip and message: what a person does to the nodes of an execution that runs. */
import { InvalidArgumentError, type Command } from 'commander';
import { HoldfastError } from '../../errors';
import { present } from '../../json';
import type { HoldfastClient } from '../../temporal-client/holdfast-client';
import type { NodeStatus } from '../../workflows/messages';
import { quoted } from '../advice';
import { withClient } from '../client';
import { uiOf, type Io, type Ui } from '../io';

const EXECUTION = 'id of the execution';
const NODE = 'the node, inside loops with its frame: price, each[3]/price';

interface ApproveOptions {
  readonly reject?: boolean;
  readonly comment?: string;
  readonly as?: string;
}

export function addApprove(program: Command, io: Io): void {
  program
    .command('approve')
    .description('decide an approval node that waits')
    .argument('<execution>', EXECUTION)
    .argument('<node>', NODE)
    .option('--reject', 'decide against it')
    .option('--comment <text>', 'kept with the decision', textOf)
    .option('--as <name>', 'who decides, as the node’s approvers name them (default: the user of this machine)', textOf)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast approve exec_first_graph_1a2b3c4d go_on\n' +
        '  $ holdfast approve exec_first_graph_1a2b3c4d \'each[3]/go_on\' --reject --as desk_lead --comment "spread is gone"',
    )
    .action(async (id: string, node: string, options: ApproveOptions, command: Command) => {
      const decision = options.reject === true ? 'reject' : 'approve';
      const { comment } = options;
      const status = await withClient(io, (client) =>
        client.approveNode(id, { node, decision, ...deciderOf(options, io), ...present({ comment }) }),
      );
      say(command, io, { id, node, status, words: decision === 'approve' ? 'is approved' : 'is rejected' });
    });
}

/** The record names the way as well (`cli:ada`); among the approvers the user's bare name counts too. */
function deciderOf({ as }: ApproveOptions, { actor }: Io) {
  return as === undefined ? { actor, roles: [actor.replace(/^cli:/, '')] } : { actor: as };
}

export function addRetry(program: Command, io: Io): void {
  nodeCommand(program, io, 'retry')
    .description('begin a node anew that failed or waits, with what depends on it')
    .addHelpText('after', "\nExample:\n  $ holdfast retry exec_first_graph_1a2b3c4d 'each[3]/price'");
}

export function addSkip(program: Command, io: Io): void {
  nodeCommand(program, io, 'skip')
    .description('pass a node over that failed or waits; what needs it is skipped too')
    .addHelpText('after', '\nExample:\n  $ holdfast skip exec_first_graph_1a2b3c4d tell --reason "nobody listens"');
}

function nodeCommand(program: Command, io: Io, verb: 'retry' | 'skip'): Command {
  return program
    .command(verb)
    .argument('<execution>', EXECUTION)
    .argument('<node>', NODE)
    .option('--reason <text>', 'why, for the record', textOf)
    .action(async (id: string, node: string, { reason }: { reason?: string }, command: Command) => {
      const request = { node, actor: io.actor, ...present({ reason }) };
      const status = await withClient(io, (client) =>
        verb === 'retry' ? client.retryNode(id, request) : client.skipNode(id, request),
      );
      const words = verb === 'retry' ? `begins anew, as generation ${status.generation}` : 'is skipped';
      say(command, io, { id, node, status, words });
    });
}

interface Done {
  readonly id: string;
  readonly node: string;
  readonly status: NodeStatus;
  readonly words: string;
}

function say(command: Command, io: Io, { id, node, status, words }: Done): void {
  const ui = uiOf(command, io);
  if (ui.json) ui.data({ execution_id: id, node, status });
  else ui.line(`${ui.paint('strong', node)} of ${id} ${words}.`);
}

export function addMessage(program: Command, io: Io): void {
  program
    .command('message')
    .description('send a message to a wait_for_signal node, of now or of later')
    .argument('<execution>', EXECUTION)
    .argument('<name>', 'name the node waits for', textOf)
    .option('--payload <json>', 'JSON, or text where it is none; - reads it from stdin')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast message exec_first_graph_1a2b3c4d prices_ready --payload \'{"day": "2026-03-01"}\'\n' +
        '  $ holdfast message exec_first_graph_1a2b3c4d report --payload - < report.json',
    )
    .action(async (id: string, name: string, { payload }: { payload?: string }, command: Command) => {
      const ui = uiOf(command, io);
      const text = payload === '-' ? await io.input() : payload;
      await withClient(io, async (client) => {
        const awaited = await isAwaited(client, id, name);
        await client.deliverMessage(id, { name, payload: readPayload(text) });
        sayDelivered({ id, name, awaited }, ui);
      });
    });
}

function readPayload(text: string | undefined): unknown {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Undefined where no worker says. */
async function isAwaited(client: HoldfastClient, id: string, name: string): Promise<boolean | undefined> {
  try {
    const { nodes } = await client.executionStatus(id);
    return Object.values(nodes).some(({ waits_for }) => waits_for?.kind === 'signal' && waits_for.name === name);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'WorkerUnavailable') return undefined;
    throw error;
  }
}

interface Delivered {
  readonly id: string;
  readonly name: string;
  readonly awaited: boolean | undefined;
}

/** A misspelt name is kept like one that comes early, so the sender is told which it may be. */
function sayDelivered({ id, name, awaited }: Delivered, ui: Ui): void {
  if (ui.json) {
    ui.data({ execution_id: id, name, accepted: true, ...present({ awaited }) });
    return;
  }
  ui.line(`Sent ${ui.paint('strong', name)} to ${id}.`);
  if (awaited === false) ui.line(`No node waits for ${quoted(name)} now; it is kept until one does.`);
}

function textOf(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.');
  return text;
}
