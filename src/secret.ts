/**
 * A value of the environment nobody may print. JSON, `util.inspect`, templates, spreading and structured cloning see a placeholder or
 * nothing: the value is in a private field, and comes out by one call.
 */
const SHOWN = '[secret]';
/** Shorter than this, what looks like the secret is likely something else. */
const SHORTEST_CUT = 4;
const ENCODINGS = ['base64', 'base64url', 'hex'] as const;

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one who signs with it. */
  reveal(): string {
    return this.#value;
  }

  /** The text without the value, however it is written there, for what a venue says and people read. */
  cutFrom(text: string): string {
    if (this.#value.length < SHORTEST_CUT) return text;
    return this.#forms().reduce((cut, form) => cut.replaceAll(form, SHOWN), text);
  }

  /** As it is, as addresses and JSON write it, and as it travels. */
  #forms(): readonly string[] {
    const bytes = Buffer.from(this.#value);
    const encoded = ENCODINGS.map((encoding) => bytes.toString(encoding).replace(/=+$/, ''));
    return [this.#value, encodeURIComponent(this.#value), JSON.stringify(this.#value).slice(1, -1), ...encoded];
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
