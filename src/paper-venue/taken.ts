/** What was taken out of the book since the last bar closed: the same quantity is not sold twice. */
import type { Decimal } from '../money';
import type { Level, Position } from './market';
import type { Side } from './orders';
import { most, ZERO } from './steps';

export class Taken {
  #at: Position = { lap: 0, index: -1 };
  readonly #quantities = new Map<string, Decimal>();

  left(position: Position, side: Side, levels: readonly Level[]): readonly Level[] {
    this.#turnTo(position);
    return levels
      .map(({ price, quantity }) => ({ price, quantity: most(ZERO, quantity.minus(this.#taken(side, price))) }))
      .filter(({ quantity }) => quantity.gt('0'));
  }

  note(position: Position, side: Side, levels: readonly Level[]): void {
    this.#turnTo(position);
    for (const { price, quantity } of levels) {
      this.#quantities.set(`${side} ${price.toFixed()}`, this.#taken(side, price).plus(quantity));
    }
  }

  #taken(side: Side, price: Decimal): Decimal {
    return this.#quantities.get(`${side} ${price.toFixed()}`) ?? ZERO;
  }

  #turnTo(position: Position): void {
    if (position.lap === this.#at.lap && position.index === this.#at.index) return;
    this.#at = position;
    this.#quantities.clear();
  }
}
