/** The books of all scopes, within bounds. */
import { EMPTY_BOOK, withDayTurned } from './equity';
import type { Scope } from './model';
import { botOf } from './scopes';
import { entry, put, remove, type Book, type DeskState, type Draft } from './state';

/** Beyond it, books that say nothing of today are forgotten. */
export const MOST_BOOKS = 400;

/** A bot has its own zone, all else that of the desk. */
export function zoneOf({ desk }: Draft, scope: Scope): string {
  const bot = botOf(scope);
  const registered = bot === undefined ? undefined : entry(desk.bots, bot);
  return registered?.time_zone ?? desk.time_zone;
}

export function bookOf({ desk }: Draft, scope: Scope): Book {
  return entry(desk.books, scope) ?? EMPTY_BOOK;
}

/** As of today: what comes late is today's, where the day before has been closed. */
export function bookOfToday(draft: Draft, scope: Scope): Book {
  return withDayTurned(bookOf(draft, scope), zoneOf(draft, scope), draft.desk.clock);
}

export function keepBook(draft: Draft, scope: Scope, book: Book): void {
  if (bookOf(draft, scope) === book) return;
  if (entry(draft.desk.books, scope) === undefined) makeRoom(draft);
  put(draft, 'books', scope, book);
}

function makeRoom(draft: Draft): void {
  const { desk } = draft;
  if (Object.keys(desk.books).length < MOST_BOOKS) return;
  for (const [scope, book] of Object.entries(desk.books)) {
    if (isIdle(desk, scope, book)) remove(draft, 'books', scope);
  }
}

function isIdle({ limits, clock }: DeskState, scope: Scope, { equity, days }: Book): boolean {
  return equity === undefined && entry(limits, scope) === undefined && days.every(({ ends }) => ends <= clock);
}
