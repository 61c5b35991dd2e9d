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

/** One that ran at event 10 upon these, and commanded that. */
function ran(jobs: readonly Job[], ...commands: readonly Command[]): TaskAccount {
  const account = new TaskAccount();
  account.begin({ length: 3, size: 100 }, [{}]);
  account.end([]);
  account.begin({ length: 10, size: 900 }, jobs);
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
    expect(account.begin({ length: 14, size: 1_500 }, [UPDATE])).toBe(true);
  });

  it('goes no further where what it commanded is not there', () => {
    const account = asked(ran([ACTIVITY_ENDED], SCHEDULED));
    expect(account.begin({ length: 13, size: 1_500 }, [UPDATE])).toBe(false);
  });

  it('goes no further where no task can have been completed', () => {
    expect(asked(ran([ACTIVITY_ENDED])).begin({ length: 12, size: 1_500 }, [UPDATE])).toBe(false);
  });

  it('goes no further where no task had begun, whatever followed', () => {
    const account = new TaskAccount();
    account.begin({ length: 3, size: 100 }, [{}]);
    account.end([]);
    account.begin({ length: 8, size: 100 }, [ACTIVITY_ENDED]);
    account.end([]);
    expect(asked(account).begin({ length: 99, size: 2_000 }, [UPDATE])).toBe(false);
  });

  it('is not judged by a size that the server does not tell', () => {
    const account = new TaskAccount();
    account.begin({ length: 3, size: 0 }, [{}]);
    account.begin({ length: 8, size: 0 }, [ACTIVITY_ENDED]);
    expect(asked(account).begin({ length: 11, size: 0 }, [UPDATE])).toBe(true);
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
    const next = { length: 13 + events, size: 1_500 };
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
    expect(asked(ran([FIRED], command)).begin({ length: 12 + events, size: 1_500 }, [UPDATE])).toBe(false);
    expect(asked(ran([FIRED], command)).begin({ length: 13 + events, size: 1_500 }, [UPDATE])).toBe(true);
  });

  it.each<[string, Command]>([
    ['an activity', { requestCancelActivity: {} }],
    ['a timer', { cancelTimer: {} }],
    ['a child', { cancelChildWorkflowExecution: {} }],
  ])('may be followed by nothing where it took back %s', (_what, command) => {
    expect(asked(ran([FIRED], SCHEDULED, command)).begin({ length: 13, size: 1_500 }, [UPDATE])).toBe(true);
    expect(asked(ran([FIRED], command, command)).begin({ length: 13, size: 1_500 }, [UPDATE])).toBe(true);
  });

  it('is counted together over the activations of one task', () => {
    const account = ran([FIRED], SCHEDULED);
    expect(account.begin({ length: 10, size: 900 }, [LOCAL_ENDED])).toBe(true);
    account.end([SCHEDULED]);
    expect(asked(account).begin({ length: 14, size: 1_500 }, [UPDATE])).toBe(false);
  });
});

describe('what ran for a task', () => {
  it('goes on whatever follows', () => {
    expect(ran([ACTIVITY_ENDED], SCHEDULED).begin({ length: 12, size: 1_500 }, [UPDATE])).toBe(true);
  });

  it('goes on where the query came with the task', () => {
    const account = ran([ACTIVITY_ENDED], SCHEDULED);
    account.asked('a3f1');
    expect(account.begin({ length: 12, size: 1_500 }, [UPDATE])).toBe(true);
  });

  it('goes on behind a query that was settled by the task after it', () => {
    const account = asked(ran([ACTIVITY_ENDED], SCHEDULED));
    account.begin({ length: 14, size: 1_500 }, [UPDATE]);
    account.end([ACCEPTED, ACCEPTED]);
    expect(account.begin({ length: 16, size: 1_900 }, [UPDATE])).toBe(true);
  });

  it('goes on from before a task that refused all it was given, whose place is taken by the next', () => {
    const account = ran([FIRED]);
    account.begin({ length: 13, size: 1_500 }, [UPDATE]);
    account.end([REFUSED]);
    expect(asked(account).begin({ length: 13, size: 1_500 }, [UPDATE])).toBe(true);
    account.end([ACCEPTED, ACCEPTED]);
    expect(asked(account).begin({ length: 17, size: 1_900 }, [UPDATE])).toBe(false);
    expect(account.begin({ length: 18, size: 1_900 }, [UPDATE])).toBe(true);
  });

  it('is as it was where a task went on with nothing to command', () => {
    const account = ran([UPDATE], ACCEPTED);
    account.begin({ length: 10, size: 900 }, [LOCAL_ENDED]);
    account.end([]);
    expect(asked(account).begin({ length: 13, size: 1_500 }, [UPDATE])).toBe(false);
  });
});
