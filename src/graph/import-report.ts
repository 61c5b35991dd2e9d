/** What an importer says about a document it turned into the language. */

/**
 * `changed`: it is in the graph, under another name or in another form, or it meant nothing. `lost`: it meant something, and the graph
 * does not say it; such a graph is never run as it is.
 */
export type Severity = 'changed' | 'lost';

export interface ImportEntry {
  readonly severity: Severity;
  /** JSON pointer into the original document. */
  readonly path: string;
  /** One sentence. */
  readonly message: string;
}

export interface Imported {
  /** In the language, though perhaps with mistakes; the original where it is in no shape an importer knows. */
  readonly document: unknown;
  readonly report: readonly ImportEntry[];
  /** Where the imported document's pointer pointed in the original. */
  readonly originOf: (pointer: string) => string;
}

/** A document that no importer changed. */
export function untouched(document: unknown): Imported {
  return { document, report: [], originOf: (pointer) => pointer };
}

/** What an importer notes down while it works. */
export class ImportNotes {
  readonly report: ImportEntry[] = [];
  readonly #origins = new Map<string, string>();

  changed(path: string, message: string): void {
    this.report.push({ severity: 'changed', path, message });
  }

  lost(path: string, message: string): void {
    this.report.push({ severity: 'lost', path, message });
  }

  /** What stands at `pointer` in the graph, and everything below it, came from `origin`. */
  moved(pointer: string, origin: string): void {
    this.#origins.set(pointer, origin);
  }

  /** The origin of the nearest thing around a pointer that has one, and from there the same steps down. */
  originOf(pointer: string): string {
    for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const origin = this.#origins.get(at);
      if (origin !== undefined) return origin + pointer.slice(at.length);
    }
    return pointer;
  }
}

/** Lines for a terminal; `placeOf` gives `line:column` where the text is at hand. */
export function formatImportReport(
  report: readonly ImportEntry[],
  file: string,
  placeOf: (path: string) => string | undefined = () => undefined,
): string {
  return report.map((entry) => `${placed(entry, file, placeOf)}  ${entry.severity}  ${entry.message}`).join('\n');
}

function placed({ path }: ImportEntry, file: string, placeOf: (path: string) => string | undefined): string {
  const place = placeOf(path);
  return place === undefined ? `${file}#${path}` : `${file}:${place}`;
}
