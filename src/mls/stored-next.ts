import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import { opaque, struct, text } from '../kernel/tls.js';
import { alone, type LocalGroup } from './local-group.js';
import { counted, versioned } from './stored-codec.js';
import { readEpoch, readLeaf, type StoredEpoch, writeEpoch, writeLeaf } from './stored-state.js';

interface StoredNext extends StoredEpoch {
  readonly leaves: readonly { readonly address: OcmAddress; readonly secrets: Uint8Array }[];
}

const VERSION = 1;
const stored = versioned<StoredNext>(
  VERSION,
  struct<StoredNext>({
    public: opaque,
    shared: opaque,
    leaves: counted(struct({ address: text(ocmAddress), secrets: opaque })),
  }),
);

/** The states that follow a Commit of ours, without the earlier epochs: those move on while it waits. */
export const writeNext = ({ common, groupKey, leaves }: LocalGroup): Uint8Array =>
  stored.write({
    ...writeEpoch({ common: alone(common), groupKey }),
    leaves: leaves.map(({ address, secrets }) => ({ address, secrets: writeLeaf(secrets, common.ratchetTree) })),
  });

export function readNext(bytes: Uint8Array): LocalGroup {
  const { leaves, ...epoch } = stored.read(bytes);
  return {
    ...readEpoch(epoch),
    leaves: leaves.map(({ address, secrets }) => ({ address, secrets: readLeaf(secrets) })),
  };
}
