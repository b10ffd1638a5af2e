import { ocmAddress } from '../kernel/address.js';
import { parsed, whole } from './config-readers.js';

/** The environment variables of those who ask about members and change them. */
export const MEMBERSHIP_VARIABLES = {
  membershipsKept: {
    name: 'COVEY_MEMBERSHIP_CACHE',
    default: '200000',
    ...whole(0, 100_000_000),
    meaning:
      'How many memberships each process keeps in memory to answer questions about them; never older than the database. 0 keeps none.',
  },
  scimBy: {
    name: 'COVEY_SCIM_BY',
    default: undefined,
    expected: 'an OCM Address',
    meaning:
      'The user in whose name SCIM changes groups when a request does not say (`Covey-By`). As an admin of a group that user thereby approves; as another member, proposes.',
    read: parsed(ocmAddress),
  },
} as const;
