/**
 * A value of the environment nobody may print. JSON, `util.inspect`, templates, spreading and structured cloning see a placeholder or
 * nothing: the value is in a private field, and comes out by one call.
 */
const SHOWN = '[secret]';
/** Shorter than this, what looks like the secret is likely something else. */
const SHORTEST_CUT = 4;

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one who signs with it. */
  reveal(): string {
    return this.#value;
  }

  /** The text without the value, for what a venue says and people read. */
  cutFrom(text: string): string {
    return this.#value.length < SHORTEST_CUT ? text : text.replaceAll(this.#value, SHOWN);
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
}
