/** The item of a list at an index that is known to exist. Throws `RangeError` otherwise: a defect, never bad input. */
export function itemAt<T>(list: ArrayLike<T>, index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no item ${index} in a list of ${list.length}`);
  return item;
}
