/** What an error means: the HTTP status of its answer, whether the same may succeed later, and what is said to people. */
export interface FaultKind {
  readonly status: number;
  readonly retry: boolean;
  readonly says: string;
}

/** The part of the catalogue that is about groups and what they are told. */
export const GROUP_FAULTS = {
  'group.unknown': {
    status: 503,
    retry: true,
    says: 'this group is not known here; its Welcome may still be under way',
  },
  'group.not-found': { status: 404, retry: false, says: 'no such group here' },
  'group.address-taken': { status: 409, retry: false, says: 'that address is taken' },
  'group.left': { status: 410, retry: false, says: 'no user of this server is a member of that group any more' },
  'change.not-admin': { status: 403, retry: false, says: 'only an admin of the group may do this' },
  'change.not-member': { status: 409, retry: false, says: 'that user is not a member of the group' },
  'change.already-member': { status: 409, retry: false, says: 'that user is a member of the group already' },
  'change.already-admin': { status: 409, retry: false, says: 'that user is an admin of the group already' },
  'change.no-admin': { status: 409, retry: false, says: 'that user is no admin of the group' },
  'change.last-admin': { status: 409, retry: false, says: 'a group keeps at least one admin: appoint another first' },
  'change.own-leaf': { status: 409, retry: false, says: 'a member leaves by itself: ask for leave, not for removal' },
  'change.not-local': { status: 403, retry: false, says: 'that user is not at home on this server' },
  'change.declined': { status: 403, retry: false, says: 'an admin has declined this' },
  'change.expired': { status: 410, retry: false, says: 'no admin approved this in time' },
  'change.under-way': { status: 409, retry: false, says: 'this is being committed, or was proposed for good' },
  'change.settled': { status: 409, retry: false, says: 'this is settled already' },
  'approval.decided': { status: 409, retry: false, says: 'this was decided, or has come to nothing' },
  'approval.flood': { status: 429, retry: true, says: 'too much of what that member proposed waits for approval' },
  'commit.wrong-group': { status: 400, retry: false, says: 'the Commit inside is of another group' },
  'commit.refused': { status: 403, retry: false, says: 'the Group Owner Server refused the Commit' },
  'commit.too-early': { status: 503, retry: true, says: 'the Commits before it are not here yet' },
  'commit.undecided': { status: 503, retry: true, says: 'the word on another Commit of that epoch is waited for' },
  'commit.stale': { status: 409, retry: false, says: 'another Commit ended that epoch' },
  'commit.not-from-owner': { status: 403, retry: false, says: 'Commits are broadcast by the Group Owner Server only' },
  'commit.takeover-early': { status: 503, retry: true, says: 'the Group Owner Server is not missed here yet' },
  'commit.not-from-home': {
    status: 403,
    retry: false,
    says: 'a Commit is submitted by the home server of its committer',
  },
  'group.drifted': { status: 409, retry: false, says: 'this server lost the state of that group and waits to rejoin' },
  'rejoin.not-admin-server': { status: 403, retry: false, says: 'rejoin requests go to the home servers of admins' },
  'rejoin.not-from-home': { status: 403, retry: false, says: 'a server asks for its own users only' },
  'rejoin.not-member': { status: 403, retry: false, says: 'nobody is admitted by a rejoin' },
  'rejoin.key-package': { status: 403, retry: false, says: 'that KeyPackage cannot replace the leaf of the member' },
  'welcome.not-asked': {
    status: 403,
    retry: false,
    says: 'who takes a lost server in again is an admin that it asked',
  },
  'commits.unknown': { status: 404, retry: false, says: 'no Commits of such a group for that server' },
  'commits.refused': { status: 502, retry: true, says: 'the other server gives no Commits now' },
  'commits.answer-malformed': { status: 502, retry: false, says: 'the answer holds no Commits' },
  'welcome.wrong-group': { status: 400, retry: false, says: 'the Welcome inside is for another group' },
  'welcome.address-bound': { status: 409, retry: false, says: 'that group address is bound to another group' },
  'welcome.address-not-minted': {
    status: 403,
    retry: false,
    says: 'that group address is ours and was not minted here',
  },
  'welcome.undecided': { status: 503, retry: true, says: 'the group may still turn to the history of the Welcome' },
  'welcome.not-from-admin': { status: 403, retry: false, says: 'a Welcome comes from the home server of an admin' },
  'proposal.wrong-group': { status: 400, retry: false, says: 'the proposal inside is of another group' },
  'proposal.not-from-home': { status: 403, retry: false, says: 'a proposal comes from the home server of its sender' },
  'proposal.stale': { status: 409, retry: false, says: 'that proposal was made in an epoch that has passed' },
  'proposal.early': { status: 503, retry: true, says: 'that proposal is of an epoch that is not here yet' },
  'proposal.unsupported': { status: 403, retry: false, says: 'that kind of proposal is not taken here' },
  'proposal.breaks-policy': { status: 403, retry: false, says: 'no Commit may do what is proposed' },
  'proposal.holds-already': { status: 409, retry: false, says: 'what is proposed holds already' },
  // Not 429: that would hold up all other mail of the peer. It is proposed anew in the next epoch (D-13).
  'proposal.flood': { status: 409, retry: false, says: 'too much of what that member or server proposed waits here' },
  'proposal.declined': { status: 403, retry: false, says: 'an admin has declined this' },
  'proposal.not-admin-server': { status: 403, retry: false, says: 'proposals go to the home servers of admins' },
  'proposal.last-admin': { status: 409, retry: false, says: 'the last admin cannot leave: appoint another first' },
  'inbox.full': { status: 503, retry: true, says: 'too much mail is waiting for earlier epochs of this group' },
} as const satisfies Record<string, FaultKind>;
