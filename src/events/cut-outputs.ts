/** Events carry outputs to people's screens: 16 Ki characters of them, the smallest members first, the rest as null. */
const LARGEST = 16 * 1024;

export interface CutOutputs {
  readonly outputs: unknown;
  readonly truncated?: true;
}

export function cutOutputs(outputs: Readonly<Record<string, unknown>>): CutOutputs {
  if (sizeOf(outputs) <= LARGEST) return { outputs };
  const members = Object.entries(outputs).map(([name, value]) => ({
    name,
    asNull: sizeOf(name) + ':null,'.length,
    more: sizeOf(value ?? null) - 'null'.length,
  }));
  let room = LARGEST - members.reduce((sum, { asNull }) => sum + asNull, '{}'.length);
  if (room < 0) return { outputs: {}, truncated: true };
  const kept = new Set<string>();
  for (const { name, more } of members.toSorted((a, b) => a.more - b.more)) {
    if (more > room) break;
    kept.add(name);
    room -= more;
  }
  const cut = members.map(({ name }) => [name, kept.has(name) ? outputs[name] : null]);
  return { outputs: Object.fromEntries(cut), truncated: true };
}

/** Characters of JSON. */
function sizeOf(value: unknown): number {
  return JSON.stringify(value).length;
}
