/** A prepared change; a leave, in each epoch that did not bring it (D-13). */
const CHANGE = `EXISTS (SELECT 1 FROM membership_change c
  WHERE c.mls_group_id = g.mls_group_id AND c.state = 'prepared' AND c.next_try_at <= $1
    AND (c.kind <> 'leave' OR c.proposed_in IS DISTINCT FROM g.epoch))`;

/** What is proposed to the admins, in each epoch that did not bring it (D-13), or is to be given up. */
const PROPOSED = `EXISTS (SELECT 1 FROM membership_change c
  WHERE c.mls_group_id = g.mls_group_id AND c.state = 'proposed'
    AND (c.proposed_in IS DISTINCT FROM g.epoch OR c.next_try_at <= $1))`;

/** A proposal of the current epoch that is committed without anybody's approval. OCM-MLS R-060 */
const PROPOSAL = `EXISTS (SELECT 1 FROM queued_proposal p
  WHERE p.mls_group_id = g.mls_group_id AND p.epoch = g.epoch AND p.due_at <= $1)`;

/** A Commit of ours that is to be submitted again. */
const SUBMITTED = `g.submitted IS NOT NULL`;

/** A member whose server lost its state. OCM-MLS R-061 */
const REJOIN = `EXISTS (SELECT 1 FROM rejoin_request r
  WHERE r.mls_group_id = g.mls_group_id AND r.due_at <= $1)`;

/** When this server has something to do in an active group at the time `$1`: SQL conditions on `federated_group g`. */
export const DUE_WORK: readonly string[] = [SUBMITTED, CHANGE, PROPOSED, PROPOSAL, REJOIN];
