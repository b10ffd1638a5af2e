import { encodeRequiredCapabilities, type Extension } from 'ts-mls';
import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import type { Brand } from '../kernel/brand.js';
import { Fault, isFault } from '../kernel/fault.js';
import { decodeAll, struct, text, vector, type Codec } from '../kernel/tls.js';
import { FEDERATED_GROUP_EXTENSION } from './suite.js';

/**
 * An OCM Address exactly as it stands in the group. Hosts compare without regard to case, but the label must not change
 * by a single byte (OCM-MLS R-069), so what was read is written back as it was.
 */
export type WrittenAddress = Brand<string, 'WrittenAddress'>;

/** Throws `address.malformed`. */
export function written(address: string): WrittenAddress {
  ocmAddress(address);
  return address as WrittenAddress;
}

/** The group's label and its admins in the order of succession. OCM-MLS section 7.2.1 */
export interface FederatedGroup {
  readonly groupAddress: WrittenAddress;
  readonly admins: readonly WrittenAddress[];
}

/** struct OCMFederatedGroup, the data of the GroupContext extension `ocm_federated_group`. OCM-MLS R-068 */
export const federatedGroup: Codec<FederatedGroup> = struct<FederatedGroup>({
  groupAddress: text(written), //   opaque group_ocm_address<V>;
  admins: vector(text(written)), // Admin admins<V>; Admin is one opaque<V>
});

export const adminsOf = ({ admins }: FederatedGroup): OcmAddress[] => admins.map((admin) => ocmAddress(admin));

/** The one `ocm_federated_group` of a GroupContext; undefined when it is missing, there twice, or malformed. */
export function federatedGroupIn(extensions: readonly Extension[]): FederatedGroup | undefined {
  const [found, second] = extensions.filter(({ extensionType }) => extensionType === FEDERATED_GROUP_EXTENSION);
  if (!found || second) return undefined;
  try {
    return decodeAll(federatedGroup, found.extensionData);
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

/** The same where it must be there. Throws `group.not-federated`. OCM-MLS R-108 */
export function requireFederatedGroup(extensions: readonly Extension[]): FederatedGroup {
  const group = federatedGroupIn(extensions);
  if (!group) throw new Fault('group.not-federated');
  return group;
}

export const federatedGroupExtension = (group: FederatedGroup): Extension => ({
  extensionType: FEDERATED_GROUP_EXTENSION,
  extensionData: federatedGroup.write(group),
});

/**
 * The extensions with another admin set; all others as they are, those who stay admins as they were written, the label
 * to the byte. OCM-MLS. Throws `group.not-federated`.
 */
export function withAdmins(extensions: readonly Extension[], admins: readonly OcmAddress[]): Extension[] {
  const group = requireFederatedGroup(extensions);
  const current = adminsOf(group);
  const next = admins.map((admin) => group.admins[current.indexOf(admin)] ?? written(admin));
  return extensions.map((extension) =>
    extension.extensionType === FEDERATED_GROUP_EXTENSION
      ? federatedGroupExtension({ ...group, admins: next })
      : extension,
  );
}

/** Every member must understand `ocm_federated_group`. RFC 9420 section 11.1 */
export const REQUIRED_CAPABILITIES: Extension = {
  extensionType: 'required_capabilities',
  extensionData: encodeRequiredCapabilities({
    extensionTypes: [FEDERATED_GROUP_EXTENSION],
    proposalTypes: [],
    credentialTypes: [],
  }),
};
