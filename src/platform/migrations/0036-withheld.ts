import type { Migration } from './migration.js';

/** Peers to which nothing is sent because policy holds or refuses them. */
export const withheld: Migration = {
  number: 36,
  name: 'withheld',
  sql: `
    ALTER TABLE outbox_peer DROP CONSTRAINT outbox_peer_state_check;
    ALTER TABLE outbox_peer ADD CONSTRAINT outbox_peer_state_check
      CHECK (state IN ('healthy', 'failing', 'unsupported', 'withheld'));
    CREATE INDEX outbox_peer_withheld ON outbox_peer (host) WHERE state = 'withheld';`,
};
