/** IANA time zones, by the tables of the JavaScript engine; the server has its own and has the last word. */

/** Whether a Temporal server knows the name. It tells `Europe/Berlin` from `europe/berlin`, where `Intl` does not. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
  const lower = name.toLowerCase();
  const listed = timeZoneNames().find((each) => each.toLowerCase() === lower);
  return listed === undefined || listed === name;
}

/** For suggestions: one name per zone, without the older ones that are valid as well. */
export function timeZoneNames(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')];
}
