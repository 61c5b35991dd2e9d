import { describe, expect, it } from '@jest/globals';
import { TaskAccount, type Command, type Job } from '../../src/workflows/task-account';

const ACTIVITY_ENDED: Job = { resolveActivity: { result: { completed: {} } } };
const ACTIVITY_FAILED: Job = { resolveActivity: { result: { failed: {} } } };
const LOCAL_ENDED: Job = { resolveActivity: { isLocal: true, result: { completed: {} } } };
const UPDATE: Job = { doUpdate: {} };
const FIRED: Job = { fireTimer: {} };
const SCHEDULED: Command = { scheduleActivity: {} };
const ACCEPTED: Command = { updateResponse: {} };
const REFUSED: Command = { updateResponse: { rejected: {} } };

/** The clock goes on with the size, as each is that of a workflow task. */
function at(length: number, size: number) {
  return { length, size, at: size };
}

/** One that ran at event 10 upon these, and commanded that. */
function ran(jobs: readonly Job[], ...commands: readonly Command[]): TaskAccount {
  const account = new TaskAccount();
  account.begin(at(3, 100), [{}]);
  account.end([]);
  account.begin(at(10, 900), jobs);
  account.end(commands);
  return account;
}

function asked(account: TaskAccount): TaskAccount {
  account.asked('legacy_query');
  account.end([]);
  return account;
}

describe('what ran behind a query', () => {
  it('goes on where its task was completed and all that it commanded follows', () => {
    const account = asked(ran([ACTIVITY_ENDED], SCHEDULED));
    expect(account.begin(at(14, 1_500), [UPDATE])).toBe(true);
  });

  it('goes no further where what it commanded is not there', () => {
    const account = asked(ran([ACTIVITY_ENDED], SCHEDULED));
    expect(account.begin(at(13, 1_500), [UPDATE])).toBe(false);
  });

  it('goes no further where no task can have been completed', () => {
    expect(asked(ran([ACTIVITY_ENDED])).begin(at(12, 1_500), [UPDATE])).toBe(false);
  });

  it('goes no further where the task it ran ahead of then brings more', () => {
    expect(asked(ran([ACTIVITY_ENDED])).begin(at(10, 900), [UPDATE])).toBe(false);
  });

  it.each<[string, Job, number]>([
    ['an activity that ended', ACTIVITY_ENDED, 2],
    ['one that failed', ACTIVITY_FAILED, 1],
    ['a local one', LOCAL_ENDED, 0],
    ['a signal', { signalWorkflow: {} }, 1],
    ['a timer', FIRED, 1],
    ['a cancel request', { cancelWorkflow: {} }, 1],
    ['a child that started', { resolveChildWorkflowExecutionStart: { succeeded: {} } }, 1],
    ['a child that ended', { resolveChildWorkflowExecution: { result: { completed: {} } } }, 1],
    ['a child that failed', { resolveChildWorkflowExecution: { result: { failed: {} } } }, 1],
    ['an update', UPDATE, 0],
  ])('does not take the events of %s for its own', (_what, job, events) => {
    const next = at(13 + events, 1_500);
    expect(asked(ran([FIRED], SCHEDULED)).begin(next, [job])).toBe(false);
    expect(asked(ran([FIRED], SCHEDULED)).begin({ ...next, length: next.length + 1 }, [job])).toBe(true);
  });

  it.each<[string, Command, number]>([
    ['an activity', SCHEDULED, 1],
    ['a timer', { startTimer: {} }, 1],
    ['a child', { startChildWorkflowExecution: {} }, 1],
    ['an accepted update', ACCEPTED, 1],
    ['a refused update', REFUSED, 0],
    ['a marker', {}, 0],
  ])('must be followed by %s it commanded', (_what, command, events) => {
    expect(asked(ran([FIRED], command)).begin(at(12 + events, 1_500), [UPDATE])).toBe(false);
    expect(asked(ran([FIRED], command)).begin(at(13 + events, 1_500), [UPDATE])).toBe(true);
  });

  it.each<[string, Command]>([
    ['an activity', { requestCancelActivity: {} }],
    ['a timer', { cancelTimer: {} }],
    ['a child', { cancelChildWorkflowExecution: {} }],
  ])('may be followed by nothing where it took back %s', (_what, command) => {
    expect(asked(ran([FIRED], SCHEDULED, command)).begin(at(13, 1_500), [UPDATE])).toBe(true);
    expect(asked(ran([FIRED], command, command)).begin(at(13, 1_500), [UPDATE])).toBe(true);
  });

  it('is counted together over the activations of one task', () => {
    const account = ran([FIRED], SCHEDULED);
    expect(account.begin(at(10, 900), [LOCAL_ENDED])).toBe(true);
    account.end([SCHEDULED]);
    expect(asked(account).begin(at(14, 1_500), [UPDATE])).toBe(false);
  });
});

describe('events that no task has brought', () => {
  type Place = Parameters<TaskAccount['begin']>[0];

  /** Whether it runs upon the last of these. */
  function runs(waits: boolean, ...places: readonly Place[]): boolean {
    const account = new TaskAccount(waits);
    const ran = places.map((place) => {
      const may = account.begin(place, [ACTIVITY_ENDED]);
      account.end([]);
      return may;
    });
    expect(ran.slice(0, -1)).not.toContain(false);
    return ran.at(-1) ?? false;
  }

  it('are not run upon where a task is waited for', () => {
    expect(runs(true, at(3, 100), at(8, 100))).toBe(false);
    expect(runs(false, at(3, 100), at(8, 100))).toBe(true);
  });

  it('are run upon else, but nothing is upon that', () => {
    const account = new TaskAccount();
    for (const length of [3, 8]) {
      account.begin(at(length, 100), [ACTIVITY_ENDED]);
      account.end([]);
    }
    expect(asked(account).begin(at(99, 2_000), [UPDATE])).toBe(false);
  });

  it('are not told by a size that the server does not tell', () => {
    expect(runs(true, at(3, 0), at(8, 0))).toBe(true);
  });

  it('were brought by a task where the clock has gone on', () => {
    expect(runs(true, at(3, 100), { ...at(8, 100), at: 101 })).toBe(true);
  });

  it('are told also where local activities have moved the clock since the task began', () => {
    expect(runs(true, at(3, 100), { ...at(3, 100), at: 105 }, { ...at(8, 100), at: 105 })).toBe(false);
  });
});

describe('what ran for a task', () => {
  it('goes on whatever follows', () => {
    expect(ran([ACTIVITY_ENDED], SCHEDULED).begin(at(12, 1_500), [UPDATE])).toBe(true);
  });

  it('goes on where the query came with the task', () => {
    const account = ran([ACTIVITY_ENDED], SCHEDULED);
    account.asked('a3f1');
    expect(account.begin(at(12, 1_500), [UPDATE])).toBe(true);
  });

  it('goes on behind a query that was settled by the task after it', () => {
    const account = asked(ran([ACTIVITY_ENDED], SCHEDULED));
    account.begin(at(14, 1_500), [UPDATE]);
    account.end([ACCEPTED, ACCEPTED]);
    expect(account.begin(at(16, 1_900), [UPDATE])).toBe(true);
  });

  it('goes on from before a task that refused all it was given, whose place is taken by the next', () => {
    const account = ran([FIRED]);
    account.begin(at(13, 1_500), [UPDATE]);
    account.end([REFUSED]);
    expect(asked(account).begin(at(13, 1_500), [UPDATE])).toBe(true);
    account.end([ACCEPTED, ACCEPTED]);
    expect(asked(account).begin(at(17, 1_900), [UPDATE])).toBe(false);
    expect(account.begin(at(18, 1_900), [UPDATE])).toBe(true);
  });

  it('is as it was where a task went on with nothing to command', () => {
    const account = ran([UPDATE], ACCEPTED);
    account.begin(at(10, 900), [LOCAL_ENDED]);
    account.end([]);
    expect(asked(account).begin(at(13, 1_500), [UPDATE])).toBe(false);
  });
});
