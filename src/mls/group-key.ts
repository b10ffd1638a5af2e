import { mlsExporter, type ClientState } from 'ts-mls';
import type { WrittenAddress } from './federated-group.js';
import type { Suite } from './suite.js';

/** With which a file key is wrapped for a group. */
export interface Wrapping {
  readonly groupKey: Uint8Array;
  /** The address of the group, to the byte as it stands in the group. */
  readonly label: WrittenAddress;
}

/** As registered. OCM-MLS R-226 */
const LABEL = 'ocm-group-key';

/**
 * The Group Key of the state's epoch: MLS-Exporter over the raw `group_id`, of the length that the suite's AEAD takes.
 * The exporter secret must not outlive it: wipe it with the state that is stored. OCM-MLS R-156
 */
export const groupKey = ({ keySchedule, groupContext }: ClientState, suite: Suite): Promise<Uint8Array> =>
  mlsExporter(keySchedule.exporterSecret, LABEL, groupContext.groupId, suite.hpke.keyLength, suite);
