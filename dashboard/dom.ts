/** The little there is to say about the document. Text is always set as text, so nothing the gateway sends becomes markup. */

/** Throws when the page has no such element, or it is of another kind. */
export function byId(id: string): HTMLElement;
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T;
export function byId(id: string, kind: new () => HTMLElement = HTMLElement): HTMLElement {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} ${id}`);
  return element;
}

export function make(tag: string, attributes: Readonly<Record<string, string>> = {}, ...children: (Node | string)[]) {
  return fill(document.createElement(tag), attributes, children);
}

export function makeSvg(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: (Node | string)[]
) {
  const texts = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), texts, children);
}

function fill<E extends Element>(
  element: E,
  attributes: Readonly<Record<string, string>>,
  children: (Node | string)[],
): E {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function timeOf(iso: string | number | Date): string {
  return new Date(iso).toLocaleTimeString([], { hour12: false });
}
