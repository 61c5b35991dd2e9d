/** Every node kind Holdfast ships. */
import type { Venues } from '../../venues/venue';
import type { NodeKind } from '../define-node';
import { accountKinds } from './account';
import { booleanKinds } from './booleans';
import { cancelKinds } from './cancels';
import { checkKinds } from './checks';
import { closingKinds } from './closing-orders';
import { conditionKinds } from './conditions';
import { controlKinds } from './control';
import { dataKinds } from './data';
import { indicatorKinds } from './indicators';
import { marketKinds } from './market';
import { mathKinds } from './math';
import { messageKinds } from './messages';
import { orderKinds } from './orders';
import { pairedKinds } from './paired-orders';
import { replacingKinds } from './replacing-orders';
import { slicedKinds } from './sliced-orders';
import { switchKinds } from './switch';

export type NodeKinds = ReadonlyMap<string, NodeKind>;

export interface KindDependencies {
  readonly venues: Venues;
}

/** The kinds by type, ready for a worker. */
export function createKinds({ venues }: KindDependencies): NodeKinds {
  const kinds = [
    ...dataKinds,
    ...marketKinds(venues),
    ...accountKinds(venues),
    ...indicatorKinds,
    ...mathKinds,
    ...conditionKinds,
    ...switchKinds,
    ...booleanKinds,
    ...controlKinds,
    ...messageKinds,
    ...checkKinds(venues),
    ...orderKinds(venues),
    ...replacingKinds(venues),
    ...pairedKinds(venues),
    ...slicedKinds(venues),
    ...closingKinds(venues),
    ...cancelKinds(venues),
  ];
  return new Map(kinds.map((kind) => [kind.type, kind]));
}

/** The kinds as declarations, for validation and documentation: those that need a venue cannot run. */
export const kindCatalogue: NodeKinds = createKinds({ venues: new Map() });
