import type { FaultKind } from './group-faults.js';

/** The part of the catalogue that is about secrets and tokens of this server, and protocol servers that are paired with it. */
export const TOKEN_FAULTS = {
  'token.request-malformed': { status: 400, retry: false, says: 'not a token request' },
  'token.grant-type': { status: 400, retry: false, says: 'only the grant type authorization_code is known' },
  'token.other-client': { status: 400, retry: false, says: 'client_id is not the server that signed' },
  'token.too-large': { status: 400, retry: false, says: 'the members do not fit into a token' },
  'token.too-many': { status: 429, retry: true, says: 'too many tokens, or too many secrets in vain' },
  'grant.unknown': { status: 400, retry: false, says: 'no such secret' },
  'grant.other-server': { status: 400, retry: false, says: 'the secret belongs to another server' },
  'grant.revoked': { status: 400, retry: false, says: 'the secret was revoked' },
  'grant.expired': { status: 400, retry: false, says: 'the share has expired' },
  'grant.group-gone': { status: 400, retry: false, says: 'the group is not held here any more' },
  'grant.sender-gone': { status: 400, retry: false, says: 'the sender is no longer a member of the group' },
  'grant.server-gone': { status: 400, retry: false, says: 'the asking server has no member in the group' },
  'grant.member-unknown': { status: 400, retry: false, says: 'not a member of the group on the asking server' },
  'introspection.stranger': {
    status: 401,
    retry: false,
    says: 'whoever asks about tokens is paired, and shows who it is',
  },
  'introspection.not-ours': { status: 400, retry: false, says: 'not a token of this server that is good now' },
  'introspection.too-many': { status: 429, retry: true, says: 'too many questions about what opens nothing' },
  'provisioning.refused': { status: 502, retry: true, says: 'the protocol server did not store the share' },
  'provisioning.answer-malformed': { status: 502, retry: true, says: 'what the protocol server answered is malformed' },
  'provisioning.under-way': { status: 503, retry: true, says: 'the protocol server is being told' },
  'share.not-provisioned': {
    status: 502,
    retry: true,
    says: 'a protocol server did not store the share, so there is none',
  },
  'pairing.not-provisioned': {
    status: 409,
    retry: false,
    says: 'that protocol server has no Integration API, and modes are not mixed in one share',
  },
  'pairing.url-refused': {
    status: 400,
    retry: false,
    says: 'an Integration API is at an https URL that can be connected to',
  },
  'pairing.kid-refused': {
    status: 400,
    retry: false,
    says: 'keys of a Token Server have names of this domain of their own',
  },
  'pairing.exists': { status: 409, retry: false, says: 'there is a pairing of that name' },
  'pairing.unknown': { status: 404, retry: false, says: 'there is no such pairing' },
} as const satisfies Record<string, FaultKind>;
