import type { FaultKind } from './group-faults.js';

/** The part of the catalogue that is about who may federate with this server, and how much anybody may ask. */
export const TRUST_FAULTS = {
  // What waits must not be lost: it is taken when a person has decided.
  'trust.held': { status: 503, retry: true, says: 'nothing is taken from that server for now' },
  'trust.refused': { status: 403, retry: false, says: 'this server does not federate with that one' },
  'trust.pattern-malformed': { status: 400, retry: false, says: 'not a host, nor a pattern of hosts' },
  'trust.own': { status: 422, retry: false, says: 'that is this server itself' },
  'peer.held': { status: 503, retry: true, says: 'nothing is sent to that server for now' },
  'peer.refused': { status: 403, retry: false, says: 'the policy here does not let that server take part' },
  'change.peer-held': {
    status: 409,
    retry: false,
    says: 'the server of that user was not approved here so far, or is quarantined',
  },
  'change.peer-refused': { status: 403, retry: false, says: 'the policy here does not let the server of that user in' },
  'grant.peer-refused': { status: 403, retry: false, says: 'the server that has the share may not take part now' },
  'limit.peer': { status: 429, retry: true, says: 'that server asks for too much at once' },
  'limit.user': { status: 429, retry: true, says: 'that user asks for too much at once' },
  'providers.unreadable': { status: 500, retry: true, says: 'the file of providers cannot be read' },
  'providers.malformed': { status: 500, retry: true, says: 'the file of providers is not what it should be' },
  'directory.failed': { status: 502, retry: true, says: 'the Directory Service gives no list' },
  'directory.malformed': { status: 502, retry: true, says: 'the list of the Directory Service cannot be used' },
  'directory.unsigned': { status: 502, retry: true, says: 'no configured key has signed the list' },
  'directory.empty': { status: 502, retry: true, says: 'the list of the Directory Service names nobody' },
  'directory.outdated': { status: 502, retry: true, says: 'the list is older than one that was seen, or has expired' },
} as const satisfies Record<string, FaultKind>;
