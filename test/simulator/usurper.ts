import { getOwnLeafNode } from 'ts-mls/clientState.js';
import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import { toBase64url } from '../../src/kernel/bytes.js';
import { isFault } from '../../src/kernel/fault.js';
import { buildCommit } from '../../src/mls/epoch.js';
import { adminsOf, requireFederatedGroup } from '../../src/mls/federated-group.js';
import { notice, stateOn, tell } from '../federation/forgery.js';
import { forgeCommit } from '../mls/support/fellows.js';
import type { Stage } from './stage.js';

/** The member's server signs a Commit that makes the member an admin, and brings it to the owner server. */
export async function usurp(stage: Stage, member: string, address: string): Promise<string> {
  const by = ocmAddress(member);
  const home = hostOf(by);
  const group = (await stage.observer(home).groups()).find((one) => one.address === address && one.state === 'active');
  const owner = group?.admins[0] === undefined ? undefined : hostOf(ocmAddress(group.admins[0]));
  if (!group?.members.includes(by) || owner === undefined || !stage.isAlive(home)) return 'there is no way';
  const { mlsGroupId } = group;
  try {
    const { state, suite } = await stateOn(stage, home, mlsGroupId, by);
    const admins = [...adminsOf(requireFederatedGroup(state.groupContext.extensions)), by];
    const order = { add: [], remove: [], proposals: [], admins, now: stage.server(home).now };
    const commit = await buildCommit(state, order, suite).then(
      (built) => built.commit,
      // A Covey would not even build it.
      () => forgeCommit(state, { path: getOwnLeafNode(state) }, suite),
    );
    const body = notice('MLS_COMMIT', home, { mlsGroupId, proposals: [], content: toBase64url(commit) });
    const { status, ...answer } = await tell(stage, home, owner, body);
    return `${status} ${(answer as { code?: string }).code ?? ''}`.trim();
  } catch (error) {
    if (isFault(error) || !stage.isAlive(home)) return String(error);
    throw error;
  }
}
