import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide, initialDesk, mistakeInCommand, type DeskCommand } from '../../src/emergency/desk';

const NOW = Date.parse('2026-01-05T12:00:00.000Z');
const halt: DeskCommand = { action: 'halt', reason: 'fire', actor: 'ann' };
const resume: DeskCommand = { action: 'resume', reason: 'out', actor: 'bob' };

describe('the desk', () => {
  it('starts normal at an epoch above those of any desk before it', () => {
    expect(initialDesk(NOW)).toEqual({
      state: 'normal',
      epoch: NOW,
      reason: 'started',
      actor: 'system',
      since: '2026-01-05T12:00:00.000Z',
    });
  });

  it('takes the next epoch with every change, and says who, why and since when', () => {
    const halted = decide(initialDesk(NOW), halt, NOW + 1);
    expect(halted).toEqual({
      state: 'halt',
      epoch: NOW + 1,
      reason: 'fire',
      actor: 'ann',
      since: '2026-01-05T12:00:00.001Z',
    });
    expect(decide(halted, resume, NOW + 2)).toMatchObject({
      state: 'normal',
      epoch: NOW + 2,
      reason: 'out',
      actor: 'bob',
    });
  });

  it('is the same object after a command that changes nothing', () => {
    const desk = initialDesk(NOW);
    expect(decide(desk, resume, NOW + 1)).toBe(desk);
    const halted = decide(desk, halt, NOW);
    expect(decide(halted, { ...halt, reason: 'another' }, NOW + 1)).toBe(halted);
  });

  it('is after any commands in the state of the last one, at an epoch that counts the changes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(halt, resume)), (commands) => {
        const desk = commands.reduce((state, command, at) => decide(state, command, NOW + at), initialDesk(NOW));
        const states = ['resume', ...commands.map(({ action }) => action)];
        expect(desk.state).toBe(states.at(-1) === 'halt' ? 'halt' : 'normal');
        expect(desk.epoch - NOW).toBe(states.filter((state, at) => at > 0 && state !== states[at - 1]).length);
      }),
    );
  });
});

describe('a command', () => {
  it.each([
    [undefined, 'a command is an object'],
    [null, 'a command is an object'],
    ['halt', 'a command is an object'],
    [{ reason: 'x', actor: 'y' }, 'action must be halt or resume'],
    [{ action: 'lift', reason: 'x', actor: 'y' }, 'action must be halt or resume'],
    [{ action: 'resume', actor: 'y' }, 'a reason is needed'],
    [{ action: 'resume', reason: '', actor: 'y' }, 'a reason is needed'],
    [{ action: 'resume', reason: 'x' }, 'an actor is needed'],
    [{ action: 'resume', reason: 'x', actor: '' }, 'an actor is needed'],
  ])('is not %j', (command, mistake) => {
    expect(mistakeInCommand(command)).toBe(mistake);
  });

  it('has an action, a reason and an actor', () => {
    expect(mistakeInCommand(halt)).toBeUndefined();
    expect(mistakeInCommand(resume)).toBeUndefined();
  });
});
