/** Events carry outputs to people's screens: 16 KiB of them, the smallest members first, the rest as null. */
const LARGEST = 16 * 1024;

export function cutOutputs(outputs: Readonly<Record<string, unknown>>): { outputs: unknown; truncated?: true } {
  const sizes = Object.entries(outputs).map(([name, value]) => ({
    name,
    size: JSON.stringify(value ?? null).length + name.length + 4,
  }));
  const total = sizes.reduce((sum, { size }) => sum + size, 2);
  if (total <= LARGEST) return { outputs };
  let room = LARGEST - 2;
  const kept = new Set<string>();
  for (const { name, size } of sizes.toSorted((a, b) => a.size - b.size)) {
    if (size > room) break;
    kept.add(name);
    room -= size;
  }
  const cut = Object.entries(outputs).map(([name, value]) => [name, kept.has(name) ? value : null]);
  return { outputs: Object.fromEntries(cut), truncated: true };
}
