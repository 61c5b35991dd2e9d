/**
 * A desk on the real Temporal and the pure rules, told the same inputs in the same order. Each input is repeated under its id until the
 * desk answers, so whatever crashes meanwhile, afterwards the two must agree.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { decide, initialDesk, statusOf, type DeskState, type DeskStatus } from '../../src/emergency/decide';
import type { CommandAnswer, DeskInput, PermitRequest, Reply } from '../../src/emergency/model';
import { HoldfastError, messageOf } from '../../src/errors';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { SETTING } from './ready-desk';

type Members = Readonly<Record<string, unknown>>;

/** What a crash may answer; whoever hears it asks again. */
const PASSING: readonly unknown[] = ['EmergencyUnreachable', 'DeskBusy', 'AuditUnavailable', 'TemporalUnavailable'];
const ANSWER_WITHIN_MS = 60_000;
const ASK_AGAIN_MS = 20;
const EXACTLY = ['ok', 'state', 'scope'] as const;

export interface DeskAndRulesOptions {
  readonly client: HoldfastClient;
  readonly desk: string;
  /** The desk's epoch: it is set up, and nothing was told it since. */
  readonly born: number;
  /** In lines, how the desk stands, for the error that says an input was not answered. */
  readonly why: () => Promise<string>;
}

export interface Tally {
  readonly inputs: number;
  /** Sent again because a crash had taken the answer. */
  readonly repeats: number;
  readonly longest_ms: number;
}

export class DeskAndRules {
  /** Answers that are not those of the pure rules. */
  readonly wrong: string[] = [];
  readonly #options: DeskAndRulesOptions;
  #pure: DeskState;
  #tally: Tally = { inputs: 0, repeats: 0, longest_ms: 0 };
  #ids = 0;
  #isGivenUp = false;

  constructor(options: DeskAndRulesOptions) {
    this.#options = options;
    // Its beginning and its `init` take an epoch each.
    this.#pure = initialDesk({ desk_id: options.desk, initialised: false }, options.born - 2);
    const init = { action: 'init', command_id: 'init', actor: 'a', reason: 'r', ...SETTING };
    this.#decide({ kind: 'command', command: init });
  }

  get tally(): Tally {
    return this.#tally;
  }

  /** No input is repeated any more. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  /** One that no input has had. */
  id(kind: string): string {
    this.#ids += 1;
    return `${kind}-${this.#ids}`;
  }

  async status(): Promise<DeskStatus> {
    const { client, desk } = this.#options;
    return this.#answered('status', () => client.deskStatus(desk));
  }

  expected(): DeskStatus {
    return statusOf(this.#pure, Date.now());
  }

  /** Undefined when it expired on its way, and nothing was done. */
  async command(command: Members): Promise<{ readonly given: Members; readonly answer: CommandAnswer } | undefined> {
    const given = { command_id: this.id('command'), actor: 'ann', reason: 'because', ...command };
    const answer = await this.repeat(given);
    if (answer.error?.code === 'CommandExpired') return undefined;
    const timed = 'issued_at' in given ? { ...given, issued_at: Date.now() } : given;
    this.#compare(given, answer, this.#decide({ kind: 'command', command: timed }));
    return { given, answer };
  }

  /** The command as it was given; the rules do not hear of it, for it changes nothing. */
  async repeat(given: Members): Promise<CommandAnswer> {
    const { client, desk } = this.#options;
    return this.#answered(JSON.stringify(given), async () => {
      const said = await client.commandDesk(given, desk);
      if (PASSING.includes(said.error?.code)) throw new HoldfastError('DeskBusy', said.error?.message ?? '');
      return said;
    });
  }

  /** Naming all it sees. */
  async resume(scope: string, over: Members = {}) {
    const { epoch, scopes } = await this.status();
    const causes = (scopes.find((each) => each.scope === scope)?.causes ?? []).map(({ id }) => id);
    const seen = { causes, expected_epoch: epoch, issued_at: Date.now() };
    return this.command({ action: 'resume', scope, ...seen, ...over });
  }

  /** Durable once Temporal has it; a repeat under its id changes nothing. */
  async signal(scope: string): Promise<void> {
    const { client, desk } = this.#options;
    const payload = { scope, command_id: this.id('signal'), actor: 'bob', reason: 'by signal' };
    await this.#answered(`signal ${scope}`, () => client.raiseAtDesk({ action: 'halt', ...payload }, desk));
    this.#decide({ kind: 'signal', name: 'halt', payload });
  }

  /** Whether it was granted. */
  async permit(request: PermitRequest): Promise<boolean> {
    const { client, desk } = this.#options;
    const batch = { requests: [request], settlements: [] };
    const [answer] = await this.#answered(request.permit_id, () => client.requestPermits(batch, desk));
    const reply = this.#decide({ kind: 'permits', ...batch });
    const expected = reply.kind === 'permits' ? reply.answers[0] : undefined;
    // One that was granted before is one whose answer was lost.
    const granted = answer?.granted === true || (answer?.granted === false && answer.code === 'AlreadyUsed');
    if (granted !== expected?.granted) this.wrong.push(`${JSON.stringify(answer)} for ${JSON.stringify(expected)}`);
    return granted;
  }

  async settle(settlement: Members): Promise<void> {
    const { client, desk } = this.#options;
    const batch = { requests: [], settlements: [settlement] };
    await this.#answered(JSON.stringify(settlement), () => client.requestPermits(batch, desk));
    this.#decide({ kind: 'permits', ...batch });
  }

  async record(kind: 'fill' | 'mark', value: Members): Promise<void> {
    const { client, desk } = this.#options;
    await this.#answered(JSON.stringify(value), () => client.recordAtDesk(kind, value, desk));
    this.#decide(kind === 'fill' ? { kind, fill: value } : { kind, mark: value });
  }

  #decide(input: DeskInput): Reply {
    const { state, reply } = decide(this.#pure, input, Date.now());
    this.#pure = state;
    return reply;
  }

  /** But for the epoch, which inputs beside this one move, too. */
  #compare(given: unknown, answer: CommandAnswer, reply: Reply): void {
    const expected = reply.kind === 'command' ? reply.answer : undefined;
    const outcome = (of: CommandAnswer | undefined) =>
      JSON.stringify([...EXACTLY.map((name) => of?.[name]), of?.error?.code]);
    if (outcome(answer) !== outcome(expected))
      this.wrong.push(`${outcome(answer)} for ${outcome(expected)} to ${JSON.stringify(given)}`);
  }

  /** Again until there is an answer. */
  async #answered<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const start = performance.now();
    for (;;) {
      try {
        const answer = await ask();
        const { inputs, repeats, longest_ms } = this.#tally;
        this.#tally = { inputs: inputs + 1, repeats, longest_ms: Math.max(longest_ms, performance.now() - start) };
        return answer;
      } catch (error) {
        if (!(error instanceof HoldfastError) || !PASSING.includes(error.code)) throw error;
        if (this.#isGivenUp || performance.now() - start > ANSWER_WITHIN_MS) throw await this.#unanswered(what, error);
        this.#tally = { ...this.#tally, repeats: this.#tally.repeats + 1 };
        await sleep(ASK_AGAIN_MS);
      }
    }
  }

  async #unanswered(what: string, error: HoldfastError): Promise<Error> {
    const why = this.#isGivenUp ? 'given up' : await this.#options.why().catch(messageOf);
    return new Error(`no answer within ${ANSWER_WITHIN_MS / 1_000} s to ${what}: ${error.message}\n${why}`);
  }
}

/** What two desks have in common that were told the same at other times, and by several in another order. */
export function timeless({ clock, scopes, open_permits, ...rest }: DeskStatus) {
  return {
    ...rest,
    scopes: scopes.map(({ halted_at, sealed_at, awaits_approval_until, epoch, causes, ...scope }) => ({
      ...scope,
      is_closed: halted_at !== undefined,
      is_sealed: sealed_at !== undefined,
      awaits_approval: awaits_approval_until !== undefined,
      causes: causes.map(({ id, state, reason, actor }) => ({ id, state, reason, actor })),
    })),
    open_permits: {
      ...open_permits,
      listed: open_permits.listed
        .map(({ at, epoch, ...permit }) => permit)
        .sort((a, b) => (a.permit_id < b.permit_id ? -1 : 1)),
    },
  };
}
