/**
 * The one catalogue of errors. A code means the same in logs, answers, metrics and tests.
 * `status` is the HTTP status of the answer; `retry` says that the same request may succeed later without change;
 * `says` is for people.
 */
export const FAULTS = {
  // kernel
  'address.malformed': { status: 400, retry: false, says: 'not an OCM Address' },
  'host.malformed': { status: 400, retry: false, says: 'not a host with an optional port' },
  'base64url.malformed': { status: 400, retry: false, says: 'not base64url' },
  'codec.malformed': { status: 400, retry: false, says: 'the bytes are not what they should encode' },
  'body.malformed': { status: 400, retry: false, says: 'the body does not have the required shape' },
  'body.too-large': { status: 413, retry: false, says: 'the body is larger than accepted here' },
  // platform
  'config.wrong': { status: 500, retry: false, says: 'the configuration is wrong' },
  'data-folder.taken': { status: 500, retry: false, says: 'another process uses the data folder' },
  'migration.changed': {
    status: 500,
    retry: false,
    says: 'the schema of the database is not one this version can serve',
  },
  'transaction.nested': { status: 500, retry: false, says: 'a transaction was opened within another' },
  'database.unavailable': { status: 503, retry: true, says: 'the database cannot be reached now' },
  'api-key.missing': { status: 401, retry: false, says: 'an API key is needed' },
  'api-key.unknown': { status: 401, retry: false, says: 'no such API key, or it was revoked' },
  'idempotency.reused': { status: 422, retry: false, says: 'this Idempotency-Key was used for another request' },
  'vault.sealed-otherwise': { status: 500, retry: false, says: 'sealed data does not open with the configured key' },
  'idempotency.malformed': {
    status: 400,
    retry: false,
    says: 'the Idempotency-Key is not 1 to 200 visible characters',
  },
  'vault.key-malformed': { status: 500, retry: false, says: 'the sealing key is not 32 bytes in base64url' },
  'body.too-deep': { status: 400, retry: false, says: 'the body is nested deeper than accepted here' },
  'media-type.unsupported': { status: 415, retry: false, says: 'this media type is not understood here' },
  'method.not-allowed': { status: 405, retry: false, says: 'this method is not understood here' },
  'request.malformed': { status: 400, retry: false, says: 'the request cannot be understood' },
  'request.misdirected': { status: 421, retry: false, says: 'this server does not answer for that host' },
  'not-found': { status: 404, retry: false, says: 'there is no such thing here' },
  // network
  'peer.unreachable': { status: 502, retry: true, says: 'the other server cannot be reached' },
  'peer.timeout': { status: 504, retry: true, says: 'the other server did not answer in time' },
  'peer.answer-too-large': { status: 502, retry: false, says: 'the other server answered with more than accepted' },
  'peer.address-refused': { status: 403, retry: false, says: 'that address may not be connected to' },
  // ocm
  'signature.missing': { status: 401, retry: false, says: 'the request is not signed for OCM' },
  'signature.ambiguous': { status: 401, retry: false, says: 'more than one signature is tagged for OCM' },
  'signature.malformed': { status: 401, retry: false, says: 'the signature fields cannot be read' },
  'signature.incomplete': { status: 401, retry: false, says: 'the signature lacks a component or parameter' },
  'signature.stale': { status: 401, retry: false, says: 'the signature is too old' },
  'signature.future': { status: 401, retry: false, says: 'the signature was made in the future' },
  'signature.expired': { status: 401, retry: false, says: 'the signature has expired' },
  'signature.digest-mismatch': { status: 401, retry: false, says: 'the body is not the one that was signed' },
  'signature.digest-unusable': { status: 401, retry: false, says: 'Content-Digest has no algorithm known here' },
  'signature.key-unknown': { status: 401, retry: false, says: 'the signing server publishes no such key' },
  'signature.key-unusable': { status: 401, retry: false, says: 'the published key cannot verify signatures' },
  'signature.key-unavailable': { status: 503, retry: true, says: 'the keys of the signing server cannot be read now' },
  'signature.alg-mismatch': { status: 401, retry: false, says: 'the alg parameter is not of the published key' },
  'signature.invalid': { status: 401, retry: false, says: 'the signature does not verify' },
  'signature.wrong-domain': { status: 401, retry: false, says: 'the key is not one of the server that is named' },
  'signature.replayed': { status: 401, retry: false, says: 'this signature was seen before' },
  'peer.discovery-failed': { status: 502, retry: true, says: 'the other server gives no discovery document' },
  'peer.discovery-malformed': { status: 502, retry: true, says: 'the discovery document cannot be used' },
  'peer.keys-failed': { status: 502, retry: true, says: 'the other server gives no JWK Set' },
  'peer.keys-malformed': { status: 502, retry: true, says: 'the JWK Set cannot be used' },
  'peer.url-refused': { status: 502, retry: false, says: 'the other server names a URL that is not asked' },
  'peer.answer-unverified': { status: 502, retry: false, says: 'the answer is not signed as it must be' },
  'notification.unsupported': { status: 501, retry: false, says: 'notifications of this type are not taken here' },
  'share.requirement-unknown': { status: 501, retry: false, says: 'the share requires what is not known here' },
  // mls
  'mls.no-leaf': { status: 404, retry: false, says: 'that user has no leaf of this server in the group' },
  'mls.group-unknown': { status: 503, retry: true, says: 'the state of the group is not here' },
  'commit.pending': { status: 409, retry: true, says: 'a Commit of this server waits for an answer already' },
  'commit.not-pending': { status: 409, retry: false, says: 'no such Commit of this server waits' },
  'commit.leaves-apart': { status: 500, retry: false, says: 'the Commit leads the leaves of this server apart' },
  'welcome.not-ours': { status: 403, retry: false, says: 'the Welcome is for no KeyPackage of that user' },
  'welcome.wrong-user': { status: 403, retry: false, says: 'the Welcome is for the KeyPackage of another user' },
  'welcome.used': { status: 409, retry: false, says: 'the KeyPackage of the Welcome was used before' },
  'welcome.member-already': { status: 409, retry: false, says: 'the user has a leaf in the group already' },
  'welcome.apart': { status: 409, retry: false, says: 'the Welcome is of another history of the group' },
  'client.foreign': { status: 422, retry: false, says: 'not an address of this server' },
  'client.exists': { status: 409, retry: false, says: 'this user is known already' },
  'client.unknown': { status: 404, retry: false, says: 'no such user of this server' },
  'key-package.none': { status: 404, retry: false, says: 'there is no KeyPackage for that user' },
  'key-package.limited': { status: 429, retry: true, says: 'too many KeyPackages were asked for' },
  'key-package.refused': { status: 502, retry: true, says: 'the other server gives no KeyPackage now' },
  'key-package.answer-malformed': { status: 502, retry: false, says: 'the answer holds no KeyPackages' },
  'key-package.other-user': { status: 502, retry: false, says: 'the KeyPackage is for another user' },
  'key-package.credential': { status: 502, retry: false, says: 'the credential is not a basic one' },
  'key-package.suite': { status: 502, retry: false, says: 'the KeyPackage is of another cipher suite or version' },
  'key-package.capabilities': { status: 502, retry: false, says: 'the client lacks what a federated group needs' },
  'key-package.foreign-extension': { status: 502, retry: false, says: 'an extension does not belong there' },
  'key-package.not-valid-now': { status: 502, retry: false, says: 'the KeyPackage is not valid at this time' },
  'key-package.lifetime': { status: 502, retry: false, says: 'the lifetime is longer than accepted here' },
  'key-package.keys': { status: 502, retry: false, says: 'the keys cannot be used, or two are the same' },
  'key-package.signature': { status: 502, retry: false, says: 'a signature of the KeyPackage does not verify' },
  // tokens
  'token.request-malformed': { status: 400, retry: false, says: 'not a token request' },
  'token.grant-type': { status: 400, retry: false, says: 'only the grant type authorization_code is known' },
  'token.other-client': { status: 400, retry: false, says: 'client_id is not the server that signed' },
  'token.too-large': { status: 400, retry: false, says: 'the members do not fit into a token' },
  'grant.unknown': { status: 400, retry: false, says: 'no such secret' },
  'grant.other-server': { status: 400, retry: false, says: 'the secret belongs to another server' },
  'grant.revoked': { status: 400, retry: false, says: 'the secret was revoked' },
  'grant.expired': { status: 400, retry: false, says: 'the share has expired' },
  'grant.group-gone': { status: 400, retry: false, says: 'the group is not held here any more' },
  'grant.sender-gone': { status: 400, retry: false, says: 'the sender is no longer a member of the group' },
  'grant.server-gone': { status: 400, retry: false, says: 'the asking server has no member in the group' },
  'grant.member-unknown': { status: 400, retry: false, says: 'not a member of the group on the asking server' },
  // integration
  'access.malformed': { status: 401, retry: false, says: 'not an access token' },
  'access.issuer': { status: 401, retry: false, says: 'the issuer is not one that is trusted here' },
  'access.key': { status: 401, retry: false, says: 'the issuer publishes no such key' },
  'access.signature': { status: 401, retry: false, says: 'the signature does not hold' },
  'access.expired': { status: 401, retry: false, says: 'the token is not valid at this time' },
  'access.claims': { status: 401, retry: false, says: 'the token lacks what it must say' },
  'access.scope': { status: 403, retry: false, says: 'the token does not open this' },
  'access.issuer-unavailable': { status: 503, retry: true, says: 'the keys of the issuer cannot be read now' },
  // shares
  'share.unknown': { status: 404, retry: false, says: 'there is no such share' },
  'share.changed': { status: 409, retry: false, says: 'this providerId was announced before, with other content' },
  'share.type-unsupported': { status: 501, retry: false, says: 'shares of this type are not taken here' },
  'share.encryption-unsupported': { status: 501, retry: false, says: 'encrypted shares are not taken here' },
  'share.protocol-unsupported': { status: 501, retry: false, says: 'no protocol of the share is usable here' },
  'share.expired': { status: 400, retry: false, says: 'the share has already expired' },
  'share.sender-not-member': { status: 403, retry: false, says: 'the sender is not a member of the group' },
  'share.sender-not-yet-member': { status: 503, retry: true, says: 'the sender is not a member of the group so far' },
  'share.sender-foreign': { status: 422, retry: false, says: 'sender and owner must be users of this server' },
  'share.queue-full': { status: 503, retry: true, says: 'too many shares of this server wait for their group' },
  'share.not-recipient': { status: 403, retry: false, says: 'not a member of the group on this server' },
  'share.token-endpoint': { status: 502, retry: false, says: 'the sending server names no token endpoint' },
  'share.token-refused': { status: 502, retry: false, says: 'the sending server refused to issue a token' },
  // membership
  'member.unknown': { status: 404, retry: false, says: 'not a member of the group' },
  // outbox
  'letter.settled': { status: 409, retry: false, says: 'that letter is not on its way any more' },
  // groups
  'group.unknown': {
    status: 503,
    retry: true,
    says: 'this group is not known here; its Welcome may still be under way',
  },
  'group.not-found': { status: 404, retry: false, says: 'no such group here' },
  'group.address-taken': { status: 409, retry: false, says: 'that address is taken' },
  'group.left': { status: 410, retry: false, says: 'no user of this server is a member of that group any more' },
  'change.not-admin': { status: 403, retry: false, says: 'only an admin of the group may ask for this' },
  'change.not-member': { status: 409, retry: false, says: 'that user is not a member of the group' },
  'change.already-member': { status: 409, retry: false, says: 'that user is a member of the group already' },
  'change.already-admin': { status: 409, retry: false, says: 'that user is an admin of the group already' },
  'change.last-admin': { status: 409, retry: false, says: 'a group keeps at least one admin: appoint another first' },
  'change.own-leaf': { status: 409, retry: false, says: 'a member leaves by itself: ask for leave, not for removal' },
  'change.not-local': { status: 403, retry: false, says: 'that user is not at home on this server' },
  'commit.wrong-group': { status: 400, retry: false, says: 'the Commit inside is of another group' },
  'commit.refused': { status: 403, retry: false, says: 'the Group Owner Server refused the Commit' },
  'commit.too-early': { status: 503, retry: true, says: 'the Commits before it are not here yet' },
  'commit.stale': { status: 409, retry: false, says: 'another Commit ended that epoch' },
  'commit.not-from-owner': { status: 403, retry: false, says: 'Commits are broadcast by the Group Owner Server only' },
  'commit.not-from-home': {
    status: 403,
    retry: false,
    says: 'a Commit is submitted by the home server of its committer',
  },
  'welcome.wrong-group': { status: 400, retry: false, says: 'the Welcome inside is for another group' },
  'welcome.address-bound': { status: 409, retry: false, says: 'that group address is bound to another group' },
  'welcome.address-not-minted': {
    status: 403,
    retry: false,
    says: 'that group address is ours and was not minted here',
  },
  'welcome.not-from-admin': { status: 403, retry: false, says: 'a Welcome comes from the home server of an admin' },
  'proposal.wrong-group': { status: 400, retry: false, says: 'the proposal inside is of another group' },
  'proposal.not-from-home': { status: 403, retry: false, says: 'a proposal comes from the home server of its sender' },
  'proposal.stale': { status: 409, retry: false, says: 'that proposal was made in an epoch that has passed' },
  'proposal.early': { status: 503, retry: true, says: 'that proposal is of an epoch that is not here yet' },
  'proposal.unsupported': { status: 403, retry: false, says: 'that kind of proposal is not taken here' },
  'proposal.not-admin-server': { status: 403, retry: false, says: 'proposals go to the home servers of admins' },
  'proposal.last-admin': { status: 409, retry: false, says: 'the last admin cannot leave: appoint another first' },
  'inbox.full': { status: 503, retry: true, says: 'too much mail is waiting for earlier epochs of this group' },
  internal: { status: 500, retry: false, says: 'something broke in this server' },
} as const satisfies Record<string, { status: number; retry: boolean; says: string }>;

export type FaultCode = keyof typeof FAULTS;

/** A violation. `facts` go to the log and, for callers of our own API, into the answer: never put secrets there. */
export class Fault extends Error {
  override readonly name = 'Fault';

  constructor(
    readonly code: FaultCode,
    readonly facts: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(`${code}: ${FAULTS[code].says}`, cause === undefined ? {} : { cause });
  }

  get status(): number {
    return FAULTS[this.code].status;
  }

  get retry(): boolean {
    return FAULTS[this.code].retry;
  }
}

export const isFault = (error: unknown, code?: FaultCode): error is Fault =>
  error instanceof Fault && (code === undefined || error.code === code);
