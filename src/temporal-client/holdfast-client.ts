/** The one holder of the Temporal client: everything the gateway, the command line and the worker ask of Temporal. */
import { randomBytes } from 'node:crypto';
import { isGrpcServiceError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { CancelOrder, CancelReport } from '../emergency/cancels';
import type { DeskStatus } from '../emergency/decide';
import type { DeskFigures } from '../emergency/figures';
import type { FlattenReport } from '../emergency/flatten';
import type { OpenOrders, OpenOrdersQuestion } from '../emergency/open-orders';
import type { ReducibleQuestion } from '../emergency/reducible';
import type { CommandAnswer, DeskCommand, PermitAnswer, RaiseCommand, Scope } from '../emergency/model';
import { partScopesOf, GLOBAL } from '../emergency/scopes';
import { HoldfastError, messageOf, type ErrorCode } from '../errors';
import type { Members } from '../json';
import type { EmergencyNotice, GateReading, PermitBatch } from '../workflows/desk-messages';
import type {
  ApproveRequest,
  Delivery,
  ExecutionStatus,
  LookAgain,
  NodeRequest,
  NodeStatus,
  RunGraphInput,
  RunGraphResult,
} from '../workflows/messages';
import { DEFAULT_DESK, executionAttributes } from '../workflows/search-attributes';
import { connect, type TemporalAccess, type TemporalOptions } from './connection';
import type { BackfillAnswer, BackfillRange } from './backfill';
import * as cancels from './cancels';
import type { NamedCancels } from './cancels';
import { latestReports, reportOf } from './desk-reports';
import * as deployments from './deployments';
import * as desk from './desk';
import * as executions from './executions';
import type { ExecutionDescription } from './execution-summary';
import { flattening, type NamedFlatten } from './flattens';
import * as steering from './node-steering';
import type { RerunAnswer, RerunOptions } from './node-steering';
import { raise, type RaiseOptions, type Raised } from './raising';
import { SharedRead } from './shared-read';
import { withInputs, type StartInputs } from './start-inputs';
import { runTimeline, type RunTimeline } from './timelines';
import type { ExecutionFilter, ExecutionPage } from './visibility';

export type { ClosedStatus, ExecutionDescription, ExecutionSummary } from './execution-summary';
export type { ExecutionFilter, ExecutionPage } from './visibility';
export type { Deployment } from './deployments';
export type { BackfillAnswer, BackfillRange } from './backfill';
export type { RerunAnswer, RerunOptions } from './node-steering';
export type { StartInputs } from './start-inputs';
export type { StartedExecution } from './executions';
export { DEFAULT_DESK } from '../workflows/search-attributes';
export type { Raised } from './raising';
export type { TemporalOptions } from './connection';

/** gRPC status code. */
const ALREADY_EXISTS = 6;

export interface StartOptions {
  /** Given by a caller who may send the same start twice; else `exec_<graph id>_<8 hex>`. */
  readonly execution_id?: string;
  /** Over those the graph was prepared or deployed with, name by name. */
  readonly inputs?: StartInputs;
}

/** Why, and who says so. */
export interface DeskOrder {
  readonly reason: string;
  readonly actor: string;
}

/** What amounts are in, and where the trading day begins (IANA). */
export interface DeskSetting {
  readonly currency: string;
  readonly time_zone: string;
}

export class HoldfastClient {
  readonly #access: TemporalAccess;
  readonly #deskReads = new Map<string, SharedRead<DeskStatus>>();

  private constructor(access: TemporalAccess) {
    this.#access = access;
  }

  /** Throws `TemporalUnavailable` within five seconds. */
  static async connect(options: TemporalOptions): Promise<HoldfastClient> {
    return new HoldfastClient(await connect(options));
  }

  async close(): Promise<void> {
    await this.#access.connection.close();
  }

  /** True when the frontend answers. */
  async isHealthy(): Promise<boolean> {
    const check = () => this.#access.connection.workflowService.getSystemInfo({});
    return this.#access.connection.withDeadline(Date.now() + 2_000, check).then(
      () => true,
      () => false,
    );
  }

  /**
   * Registers the search attributes, one by one, so that those a namespace already has do no harm. Returns what could not be
   * registered and why: Temporal Cloud has no such call, and an operator adds them there.
   */
  async ensureSearchAttributes(): Promise<string[]> {
    const failures: string[] = [];
    for (const { name } of Object.values(executionAttributes)) {
      try {
        await this.#access.connection.operatorService.addSearchAttributes({
          namespace: this.#access.namespace,
          searchAttributes: { [name]: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD },
        });
      } catch (error) {
        if (!isGrpcServiceError(error) || (error.code as number) !== ALREADY_EXISTS)
          failures.push(`${name}: ${messageOf(error)}`);
      }
    }
    return failures;
  }

  /**
   * Asks the desk first: throws `EmergencyHalted`, `EmergencyUnreachable`, `ExecutionExists`, `InputsInvalid`. A start that is sent again
   * under its id starts nothing, so it is answered whatever the desk says.
   */
  async startExecution(prepared: RunGraphInput, options: StartOptions = {}): Promise<executions.StartedExecution> {
    const input = withInputs(prepared, options.inputs);
    const execution_id = options.execution_id ?? `exec_${input.graph.id}_${randomBytes(4).toString('hex')}`;
    try {
      await this.assertCanOperate(input.graph.desk, partScopesOf(input.graph));
    } catch (refusal) {
      if (options.execution_id === undefined) throw refusal;
      return executions.sameStart(this.#access, execution_id, input).catch((error: unknown) => {
        throw executions.isNotFound(error) ? refusal : error;
      });
    }
    return executions.startExecution(this.#access, execution_id, input);
  }

  async listExecutions(filter: ExecutionFilter = {}): Promise<ExecutionPage> {
    return executions.listExecutions(this.#access, filter);
  }

  async describeExecution(executionId: string): Promise<ExecutionDescription> {
    return executions.describeExecution(this.#access, executionId);
  }

  /** The execution's own full account; also of closed ones, as long as a worker runs. Throws `WorkerUnavailable`. */
  async executionStatus(executionId: string): Promise<ExecutionStatus> {
    return executions.executionStatus(this.#access, executionId);
  }

  /** The graph and settings an execution was started with. */
  async executionInput(executionId: string): Promise<RunGraphInput> {
    return executions.executionInput(this.#access, executionId);
  }

  /** Another one when something happened in the execution since. */
  async executionMark(executionId: string): Promise<string> {
    return executions.executionMark(this.#access, executionId);
  }

  /** What Temporal's history says of one run, the latest where none is named. Throws `ExecutionNotFound`. */
  async runTimeline(executionId: string, runId?: string): Promise<RunTimeline> {
    return runTimeline(this.#access, executionId, runId);
  }

  /** See `executions.runOrigin`. */
  async runOrigin(executionId: string, runId: string): Promise<executions.RunOrigin> {
    return executions.runOrigin(this.#access, executionId, runId);
  }

  /** Returns once Temporal has the signal; `executionStatus` says when it holds. Throws `ExecutionClosed`. */
  async haltExecution(executionId: string, reason: string): Promise<void> {
    await executions.signalExecution(this.#access, executionId, 'halt', reason);
  }

  async resumeExecution(executionId: string, reason: string): Promise<void> {
    await executions.signalExecution(this.#access, executionId, 'resume', reason);
  }

  /** A word to look at the order of a node, which may be sent twice and for nothing. Throws `ExecutionClosed`. */
  async lookAgain(executionId: string, look: LookAgain): Promise<void> {
    await executions.lookAgain(this.#access, executionId, look);
  }

  /** What runs is awaited; the execution then ends as cancelled. */
  async cancelExecution(executionId: string): Promise<void> {
    await executions.cancelExecution(this.#access, executionId);
  }

  /** Decides an `approval` node that waits. Throws `NodeNotFound`, `NodeNotWaiting`, `Forbidden`, `ExecutionClosed`. */
  async approveNode(executionId: string, request: ApproveRequest): Promise<NodeStatus> {
    return steering.approveNode(this.#access, executionId, request);
  }

  /** Begins a new generation of a node that failed or waits. Throws `NodeNotFound`, `NodeNotRetryable`, `ExecutionClosed`. */
  async retryNode(executionId: string, request: NodeRequest): Promise<NodeStatus> {
    return steering.retryNode(this.#access, executionId, request);
  }

  /** Passes a node over that failed or waits. Throws like `retryNode`. */
  async skipNode(executionId: string, request: NodeRequest): Promise<NodeStatus> {
    return steering.skipNode(this.#access, executionId, request);
  }

  /** For a `wait_for_signal` node, of now or of later. Returns once Temporal has it. Throws `BadRequest`, `ExecutionClosed`. */
  async deliverMessage(executionId: string, message: Delivery): Promise<void> {
    await steering.deliverMessage(this.#access, executionId, message);
  }

  /** What a completed execution gave; waits for its end. */
  async executionResult(executionId: string): Promise<RunGraphResult> {
    return steering.executionResult(this.#access, executionId);
  }

  /**
   * A new execution that takes over what ran before a node and runs the rest, or with `dry_run` only what that would be. Throws
   * `ExecutionOpen`, `NodeNotFound`, `LiveNotConfirmed`, and what a start throws.
   */
  async rerunExecution(executionId: string, options: RerunOptions = {}): Promise<RerunAnswer> {
    const prepared = await steering.prepareRerun(this.#access, executionId, options);
    if (options.dry_run === true) return prepared.answer;
    await this.assertCanOperate(prepared.input.graph.desk, partScopesOf(prepared.input.graph));
    return steering.startRerun(this.#access, prepared);
  }

  async deploy(input: RunGraphInput, options: deployments.DeployOptions = {}): Promise<deployments.Deployment> {
    return deployments.deploy(this.#access, input, options);
  }

  async listDeployments(): Promise<deployments.Deployment[]> {
    return deployments.listDeployments(this.#access);
  }

  async pageDeployments(range: { after?: string; limit: number }): Promise<deployments.DeploymentPage> {
    return deployments.pageDeployments(this.#access, range);
  }

  /** By graph id; undefined where the deployment is older than this record. */
  async deployedVersions(): Promise<ReadonlyMap<string, string | undefined>> {
    return deployments.deployedVersions(this.#access);
  }

  async getDeployment(workflowId: string): Promise<deployments.Deployment> {
    return deployments.getDeployment(this.#access, workflowId);
  }

  async deployedInput(workflowId: string): Promise<RunGraphInput> {
    return deployments.deployedInput(this.#access, workflowId);
  }

  async undeploy(workflowId: string): Promise<void> {
    await deployments.undeploy(this.#access, workflowId);
  }

  async pauseDeployment(workflowId: string, note: string): Promise<void> {
    await deployments.pauseDeployment(this.#access, workflowId, note);
  }

  async resumeDeployment(workflowId: string, note: string): Promise<void> {
    await deployments.resumeDeployment(this.#access, workflowId, note);
  }

  /**
   * Starts one execution now, beside the schedule and whatever its overlap policy says. Not by the schedule's own trigger: two of
   * those within a second share an execution id, and the second is lost.
   */
  async triggerDeployment(workflowId: string, options: StartOptions = {}): Promise<executions.StartedExecution> {
    return this.startExecution(await this.deployedInput(workflowId), options);
  }

  /** Asks the desk first, as every start by hand: else each instant would become an execution that fails at once. */
  async backfillDeployment(workflowId: string, range: BackfillRange): Promise<BackfillAnswer> {
    const { graph } = await this.deployedInput(workflowId);
    await this.assertCanOperate(graph.desk, partScopesOf(graph));
    return deployments.backfillDeployment(this.#access, workflowId, range);
  }

  async ensureDesk(deskId?: string): Promise<void> {
    await desk.ensureDesk(this.#access, deskId);
  }

  /** Those that run on this task queue, without those of drills. */
  async listDesks(): Promise<readonly string[]> {
    return desk.listDesks(this.#access);
  }

  async deskStatus(deskId?: string): Promise<DeskStatus> {
    return desk.deskStatus(this.#access, deskId);
  }

  /**
   * Throws `EmergencyHalted` while a halt of `global` or of one of the scopes is in force, `EmergencyUnreachable` when nobody says there
   * is none. Many executions that start at once share one question: a query for each took a loaded desk past its deadline.
   */
  async assertCanOperate(deskId = DEFAULT_DESK, scopes: readonly Scope[] = []): Promise<void> {
    desk.assertAllows(await this.#deskRead(deskId).get(), scopes);
  }

  #deskRead(deskId: string): SharedRead<DeskStatus> {
    const read = this.#deskReads.get(deskId) ?? new SharedRead(() => desk.deskStatus(this.#access, deskId));
    this.#deskReads.set(deskId, read);
    return read;
  }

  /**
   * Answers with what the desk made of it, also when that is a refusal. What somebody sent may be handed on as it is: the desk refuses
   * and records what it cannot read.
   */
  async commandDesk(command: DeskCommand | Members, deskId?: string): Promise<CommandAnswer> {
    return desk.command(this.#access, command, deskId);
  }

  /** Returns once Temporal has it, with or without workers; `deskStatus` or the same by `commandDesk` confirms. */
  async raiseAtDesk(command: RaiseCommand, deskId?: string): Promise<void> {
    await desk.raiseBySignal(this.#access, command, deskId);
  }

  /** For the record of a desk that runs: a command that was refused before it came there. */
  async recordRefusal(code: ErrorCode, refused: Members, deskId?: string): Promise<void> {
    await desk.recordRefusal(this.#access, { code, command: refused }, deskId);
  }

  /** Signal and command under one id: durable without workers, and answered by the desk when one runs. Throws `TemporalUnavailable`. */
  async raise(command: RaiseCommand, { is_new, desk_id = DEFAULT_DESK }: Partial<RaiseOptions> = {}): Promise<Raised> {
    return raise(this.#access, command, { is_new: is_new === true, desk_id });
  }

  /** Halts `global`: nothing new starts, running executions halt. Returns once Temporal has it. */
  async haltDesk({ reason, actor }: DeskOrder, deskId?: string): Promise<void> {
    const command_id = desk.newCommandId();
    await this.raiseAtDesk({ action: 'halt', scope: GLOBAL, command_id, reason, actor }, deskId);
  }

  /** Lifts from `global` all it is halted by now. Throws what the desk refuses it for. */
  async resumeDesk({ reason, actor }: DeskOrder, deskId?: string): Promise<DeskStatus> {
    const { epoch, scopes } = await this.deskStatus(deskId);
    const causes = scopes.find(({ scope }) => scope === GLOBAL)?.causes ?? [];
    if (causes.length > 0) {
      const answer = await this.commandDesk(
        {
          ...{ action: 'resume', command_id: desk.newCommandId(), scope: GLOBAL, reason, actor },
          ...{ causes: causes.map(({ id }) => id), expected_epoch: epoch, issued_at: Date.now() },
        },
        deskId,
      );
      desk.assertAccepted(answer);
    }
    return this.deskStatus(deskId);
  }

  /** Sets a desk up that began anew. Throws what the desk refuses it for. */
  async initDesk({ reason, actor }: DeskOrder, { currency, time_zone }: DeskSetting, deskId?: string): Promise<void> {
    const command_id = desk.newCommandId();
    desk.assertAccepted(
      await this.commandDesk({ action: 'init', command_id, reason, actor, currency, time_zone }, deskId),
    );
  }

  /** Ends the desk of a drill. Any other is refused: with a desk its halts would end. */
  async closeDrillDesk(deskId: string): Promise<void> {
    if (!desk.isOfDrill(deskId)) throw new HoldfastError('BadRequest', `${deskId} is not the desk of a drill.`);
    await desk.terminateDesk(this.#access, deskId, 'the drill is over');
  }

  async requestPermits(batch: PermitBatch, deskId?: string): Promise<readonly PermitAnswer[]> {
    return desk.requestPermits(this.#access, batch, deskId);
  }

  /** A fill, the worth of a scope, or a price; each may be told twice. Throws what the desk refuses it for. */
  async recordAtDesk(kind: 'fill' | 'mark' | 'price', value: unknown, deskId?: string): Promise<void> {
    const answer = await desk.record(this.#access, kind, value, deskId);
    if (answer.kind === 'refused') throw new HoldfastError(answer.error.code, answer.error.message);
  }

  /** What a gate must know, in one answer; `commandIds` are asked about. */
  async gateReading(commandIds: readonly string[], deskId?: string): Promise<GateReading> {
    return desk.gateReading(this.#access, commandIds, deskId);
  }

  /** What nobody has ended yet of one account, for whoever asks its venue. */
  async reducible(question: ReducibleQuestion, deskId?: string): Promise<string> {
    return desk.reducible(this.#access, question, deskId);
  }

  /** As the desk's workflow has it. */
  async openOrders(question: OpenOrdersQuestion, deskId?: string): Promise<OpenOrders> {
    return desk.openOrders(this.#access, question, deskId);
  }

  async deskFigures(deskId?: string): Promise<DeskFigures> {
    return desk.deskFigures(this.#access, deskId);
  }

  /** Cancels what rests at the venues, durably. Returns under what name it can be asked about. Throws `TemporalUnavailable`. */
  async cancelOrders(order: CancelOrder, deskId?: string): Promise<string> {
    return cancels.startCancels(this.#access, order, deskId);
  }

  /** How far cancels are; undefined where there are none of this name. `name`: the epoch of their halt, or as `cancelOrders` says. */
  async cancelReport(name: string | number, deskId = DEFAULT_DESK): Promise<CancelReport | undefined> {
    return reportOf(this.#access, cancels.cancelling, [deskId, name]);
  }

  /** The latest ones, the newest first. */
  async listCancels(deskId = DEFAULT_DESK): Promise<readonly NamedCancels[]> {
    return latestReports(this.#access, cancels.cancelling, deskId);
  }

  /** How far a flatten is, by the epoch the desk answered its command with; undefined while nobody has begun it. */
  async flattenReport(epoch: number, deskId = DEFAULT_DESK): Promise<FlattenReport | undefined> {
    return reportOf(this.#access, flattening, [deskId, epoch]);
  }

  /** The latest ones, the newest first. */
  async listFlattens(deskId = DEFAULT_DESK): Promise<readonly NamedFlatten[]> {
    return latestReports(this.#access, flattening, deskId);
  }

  async deskKnowsCommand(commandId: string, deskId?: string): Promise<boolean> {
    return desk.knowsCommand(this.#access, commandId, deskId);
  }

  /** Tells one execution the desk's state. Whether it heard within that time; it is left word where it did not. */
  async notifyExecution(executionId: string, notice: EmergencyNotice, withinMs?: number): Promise<boolean> {
    return executions.notifyExecution(this.#access, executionId, notice, withinMs);
  }
}
