/** From any shape an importer knows to the language. */
import { importBuilder } from './import-builder';
import { importInline } from './import-inline';
import type { Imported } from './import-report';
import type { KindCatalogue } from './kinds';

/**
 * Never throws. A document with the key `holdfast`, or in no known shape, is returned as it is with an empty report; `name`, such as
 * a file's, fills a missing `id`.
 */
export function importGraph(document: unknown, catalogue: KindCatalogue, name?: string): Imported {
  const built = importBuilder(document, catalogue, name);
  return built.document === document ? importInline(document, catalogue, name) : built;
}
