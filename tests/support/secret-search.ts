/** Looks for secrets in texts, however they are written there. */

/** A secret without a name of its own cannot be told of in words. */
export type Secrets = Readonly<Record<string, string>>;
/** Texts by where they were found. */
export type Places = Readonly<Record<string, string>>;

/** Half of a secret is half of the work; of shorter ones a half may be any word. */
const LEAST_HALVED = 24;

/** What is where, such as `history exec_1: key as base64`; never the secret itself. */
export function findSecrets(places: Places, secrets: Secrets): string[] {
  const wanted = Object.entries(secrets).flatMap(([name, secret]) =>
    [...formsOf(secret)].map(([form, text]) => ({ what: `${name} as ${form}`, text })),
  );
  return Object.entries(places).flatMap(([place, text]) => {
    const lower = text.toLowerCase();
    return wanted.filter((form) => lower.includes(form.text)).map(({ what }) => `${place}: ${what}`);
  });
}

const HALF_A_SIGNATURE = 32;

/** Where a signature of 64 hexadecimal digits stands, or half of one. There are hundreds of them, so the text is gone through once. */
export function findSignatures(places: Places, signatures: readonly string[]): string[] {
  const halves = new Set(
    signatures.flatMap((each) => [each.slice(0, HALF_A_SIGNATURE), each.slice(-HALF_A_SIGNATURE)]),
  );
  const holdsOne = (digits: string) =>
    Array.from({ length: digits.length - HALF_A_SIGNATURE + 1 }, (_, at) =>
      digits.slice(at, at + HALF_A_SIGNATURE),
    ).some((window) => halves.has(window));
  return Object.entries(places).flatMap(([place, text]) =>
    [...text.toLowerCase().matchAll(/[0-9a-f]{32,}/g)].some(([digits]) => holdsOne(digits)) ? [place] : [],
  );
}

/** In small letters, for hexadecimal is written in both; letters of one case alone are as telling. */
function formsOf(secret: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(secret);
  const half = Math.ceil(secret.length / 2);
  const forms: [string, string][] = [
    ['it is', secret],
    ['an address writes it', encodeURIComponent(secret)],
    ['JSON writes it', JSON.stringify(secret).slice(1, -1)],
    ['hex', bytes.toString('hex')],
    ...[0, 1, 2].flatMap((offset): [string, string][] => {
      const text = base64Within(bytes, offset);
      return [
        [`base64 at ${offset}`, text],
        [`base64url at ${offset}`, text.replaceAll('+', '-').replaceAll('/', '_')],
      ];
    }),
  ];
  if (secret.length >= LEAST_HALVED)
    forms.push(['its first half', secret.slice(0, half)], ['its last half', secret.slice(half)]);
  return new Map(forms.map(([form, text]) => [form, text.toLowerCase()]));
}

/** What base64 of a longer text has in common, wherever in it the bytes begin: three bytes become four letters. */
function base64Within(bytes: Buffer, offset: number): string {
  const before = Math.ceil((offset * 8) / 6);
  const whole = Math.floor(((offset + bytes.length) * 8) / 6);
  return Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .slice(before, whole);
}
