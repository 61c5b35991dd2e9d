/** The smallest graph there is, as a document: one node that gives a 1, or other nodes where they are given. */
export const constant = { type: 'constant', params: { value: '1' } };

export function constantGraph(id: string, nodes: object = { one: constant }, more: object = {}) {
  return { holdfast: 1, id, nodes, ...more };
}
