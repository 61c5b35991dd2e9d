/** Commands and what they were answered, so that the same command again changes nothing. */
import { refuse } from './fields';
import type { CommandAnswer, DeskCommand } from './model';
import type { Draft, RememberedCommand } from './state';

const DAY = 86_400_000;
export const MOST_COMMANDS = 2_000;
/** In characters of their bodies, which keeps the desk's state within what one workflow can carry. */
const MOST_TEXT = 200_000;

const RAISING: readonly string[] = ['alert', 'halt', 'shutdown'];

/** The same text for the same command, in whatever order its members come. */
export function canonicalBody(value: unknown): string {
  return JSON.stringify(value ?? null, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** Throws `CommandConflict` when another command was given under its id. */
export function rememberedAnswer({ desk }: Draft, command: DeskCommand): CommandAnswer | undefined {
  const known = desk.commands.find(({ command_id, at }) => command_id === command.command_id && desk.clock - at <= DAY);
  if (known === undefined) return undefined;
  if (known.body === canonicalBody(command)) return known.answer;
  return refuse('CommandConflict', `another command was given under the id ${command.command_id}`);
}

export function remember({ desk }: Draft, command: DeskCommand, answer: CommandAnswer): void {
  const { command_id, action } = command;
  const known = { command_id, body: canonicalBody(command), raises: RAISING.includes(action), at: desk.clock, answer };
  desk.commands = withinBounds([...desk.commands.filter(({ at }) => desk.clock - at <= DAY), known]);
}

/**
 * Forgets the oldest that raise first: raised again, they close once more, which is safe. Of the others, `resume` and `approve` expire
 * ten seconds after they were issued, so one that is forgotten and sent again is refused for its age.
 */
function withinBounds(commands: readonly RememberedCommand[]): readonly RememberedCommand[] {
  let [kept, text] = [commands, commands.reduce((sum, { body }) => sum + body.length, 0)];
  while (kept.length > MOST_COMMANDS || text > MOST_TEXT) {
    const oldest = kept.slice(0, -1).find(({ raises }) => raises) ?? kept[0];
    kept = kept.filter((each) => each !== oldest);
    text -= oldest?.body.length ?? 0;
  }
  return kept;
}
