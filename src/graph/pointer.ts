/** JSON pointers (RFC 6901). */

export function toPointer(...steps: readonly (string | number)[]): string {
  let pointer = '';
  for (const step of steps) pointer += `/${escaped(String(step))}`;
  return pointer;
}

/** The pointer of what stands there under a name. */
export function pointerInto(pointer: string, step: string): string {
  return `${pointer}/${escaped(step)}`;
}

function escaped(step: string): string {
  return step.includes('~') || step.includes('/') ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step;
}

export function fromPointer(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
