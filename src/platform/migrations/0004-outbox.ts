import type { Migration } from './migration.js';

export const outbox: Migration = {
  number: 4,
  name: 'outbox',
  sql: `
    CREATE TABLE outbox_peer (
      host text PRIMARY KEY,
      state text NOT NULL CHECK (state IN ('healthy', 'failing', 'unsupported')),
      since timestamptz NOT NULL,
      failures integer NOT NULL,
      last_at timestamptz,
      next_try_at timestamptz,
      reason text,
      discovery_seen text,
      served_at timestamptz NOT NULL
    );

    CREATE TABLE outbox_lane (
      peer text NOT NULL REFERENCES outbox_peer DEFERRABLE INITIALLY DEFERRED,
      name text NOT NULL,
      tail bigint NOT NULL,
      due_at timestamptz,
      stopped_at timestamptz,
      owner uuid,
      leased_until timestamptz,
      PRIMARY KEY (peer, name)
    );
    CREATE INDEX outbox_lane_due ON outbox_lane (peer, due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX outbox_lane_leased ON outbox_lane (peer) WHERE leased_until IS NOT NULL;

    CREATE TABLE outbox_letter (
      id uuid PRIMARY KEY,
      peer text NOT NULL,
      lane text NOT NULL,
      number bigint NOT NULL,
      endpoint text NOT NULL CHECK (endpoint IN ('notifications', 'shares')),
      kind text NOT NULL,
      subject text NOT NULL,
      body bytea,
      digest text NOT NULL,
      size integer NOT NULL,
      answer_to text,
      state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'refused', 'dead')),
      tries integer NOT NULL,
      posted_at timestamptz NOT NULL,
      tried_at timestamptz,
      ended_at timestamptz,
      status integer,
      reason text,
      answer bytea,
      taken_at timestamptz,
      FOREIGN KEY (peer, lane) REFERENCES outbox_lane (peer, name),
      CHECK (body IS NOT NULL OR state IN ('delivered', 'refused'))
    );
    CREATE UNIQUE INDEX outbox_letter_waiting ON outbox_letter (peer, lane, number) WHERE state = 'waiting';
    CREATE INDEX outbox_letter_trouble ON outbox_letter (peer, ended_at) WHERE state IN ('dead', 'refused');
    CREATE INDEX outbox_letter_answer ON outbox_letter (answer_to, ended_at)
      WHERE answer_to IS NOT NULL AND taken_at IS NULL AND state <> 'waiting';
    CREATE INDEX outbox_letter_ended ON outbox_letter (ended_at) WHERE state IN ('delivered', 'refused');`,
};
