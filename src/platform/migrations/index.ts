import { platform } from './0001-platform.js';
import { ocm } from './0002-ocm.js';
import { mls } from './0003-mls.js';
import { outbox } from './0004-outbox.js';
import { groups } from './0005-groups.js';
import { tokens } from './0006-tokens.js';
import { shares } from './0007-shares.js';
import { inbox } from './0008-inbox.js';
import { life } from './0009-life.js';
import { audit } from './0010-audit.js';
import { leafUpdates } from './0011-leaf-updates.js';
import { repair } from './0012-repair.js';
import { failover } from './0013-failover.js';
import { reinit } from './0014-reinit.js';
import { rejoin } from './0015-rejoin.js';
import { approvals } from './0016-approvals.js';
import { doubt } from './0017-doubt.js';
import { fileKeys } from './0018-file-keys.js';
import { removedWhileLost } from './0019-removed-while-lost.js';
import { rotation } from './0020-rotation.js';
import { credentialRenewal } from './0021-credential-renewal.js';
import { outgoingGrants } from './0022-outgoing-grants.js';
import { departures } from './0023-departures.js';
import { namedAdmins } from './0024-named-admins.js';
import { pairing } from './0025-pairing.js';
import { rateLimit } from './0026-rate-limit.js';
import { provisioning } from './0027-provisioning.js';
import { tokenServer } from './0028-token-server.js';
import { namesOfAnyCase } from './0029-names-of-any-case.js';
import { unusedRecords } from './0030-unused-records.js';
import { scimWriting } from './0031-scim-writing.js';
import { groupVersion } from './0032-group-version.js';
import { feed } from './0033-feed.js';
import { webhook } from './0034-webhook.js';
import { trust } from './0035-trust.js';
import { withheld } from './0036-withheld.js';
import { waterMark } from './0037-water-mark.js';
import { externalIds } from './0038-external-ids.js';
import type { Migration } from './migration.js';

/** Every migration, listed by hand, in the order of their numbers. */
export const MIGRATIONS: readonly Migration[] = [
  platform,
  ocm,
  mls,
  outbox,
  groups,
  tokens,
  shares,
  inbox,
  life,
  audit,
  leafUpdates,
  repair,
  failover,
  reinit,
  rejoin,
  approvals,
  doubt,
  fileKeys,
  removedWhileLost,
  rotation,
  credentialRenewal,
  outgoingGrants,
  departures,
  namedAdmins,
  pairing,
  rateLimit,
  provisioning,
  tokenServer,
  namesOfAnyCase,
  unusedRecords,
  scimWriting,
  groupVersion,
  feed,
  webhook,
  trust,
  withheld,
  waterMark,
  externalIds,
];
