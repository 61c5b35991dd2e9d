/** Milliseconds of the machine's own monotone clock, which all processes of one machine share. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}
