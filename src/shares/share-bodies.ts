import { z } from 'zod';
import { CIPHERS } from '../content/cipher.js';
import { FORMAT } from '../content/stream-header.js';
import { PERMISSIONS, REQUIREMENTS } from '../ocm/share-protocol.js';
import { addressField, hostField, identifierField, textField } from '../ocm/wire-body.js';
import { END_REASONS } from './share.js';
import { SERVER_STATES } from './share-server.js';
import { isResourceUri } from './webdav-root.js';

/**
 * What the file platform sends and gets about shares. Addresses are OCM Addresses, times ISO 8601 in UTC. The library
 * drops `examples` of schemas that transform what they read, and keeps `example`.
 */

const EXAMPLE = {
  resource: {
    id: '3a02538b-aa54-42f2-8853-a38996e211b1',
    type: 'file' as const,
    name: 'experiment-data.tar',
    uri: 'https://files.example.org/webdav/experiment-data.tar',
    permissions: ['read' as const],
    size: 1048576,
  },
  group: 'research-group@cloud.example.org',
  sender: 'alice@cloud.example.org',
  owner: 'alice@cloud.example.org',
};

const permissions = z
  .array(z.enum(PERMISSIONS))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'must not repeat');

const resource = z.strictObject({
  /** Stable for as long as the resource exists, the same in all shares of it. */
  id: identifierField,
  type: z.enum(['file', 'folder']),
  name: textField(255).min(1),
  uri: textField(2048).refine(isResourceUri, 'must be an https URL, or relative to /webdav/'),
  permissions,
  size: z.int().nonnegative().optional(),
  description: textField(4096).optional(),
});

/** A file key is at least as strong as this unless somebody asks otherwise. */
const USUAL_CIPHER = 'AES-256-GCM';

export const encryption = z.object({
  resourceId: z.string(),
  scheme: z.literal('ocm-mls'),
  cipher: z.enum(CIPHERS),
  /** Null: the whole-file form. */
  format: z.string().nullable(),
});

export const newShare = z
  .strictObject({
    group: addressField,
    sender: addressField,
    owner: addressField.optional(),
    resource,
    /** There when the resource is encrypted: its file key is made with the first share of it. */
    encryption: z.strictObject({ cipher: z.enum(CIPHERS).default(USUAL_CIPHER) }).optional(),
    /** Who serves the resource, by the names of their pairings, when they are told of shares. */
    protocolServers: z
      .array(identifierField)
      .min(1)
      .max(10)
      .refine((list) => new Set(list).size === list.length, 'must not repeat')
      .optional(),
    expiration: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ example: { ...EXAMPLE, expiration: '2027-12-31T23:00:00.000Z' } });

export const changedShare = z.strictObject({ permissions }).meta({ example: { permissions: ['read', 'write'] } });

export const shareAnswer = z
  .object({
    id: z.uuid(),
    group: z.string(),
    sender: z.string(),
    owner: z.string(),
    resource: z.object({
      id: z.string(),
      type: z.enum(['file', 'folder']),
      name: z.string(),
      uri: z.string(),
      permissions: z.array(z.enum(PERMISSIONS)),
      size: z.int().optional(),
      description: z.string().optional(),
    }),
    encryption: encryption.nullable(),
    protocolServers: z.array(z.string()).nullable(),
    createdAt: z.iso.datetime(),
    expiration: z.iso.datetime().nullable(),
    state: z.enum(['open', 'ended']),
    endedAt: z.iso.datetime().nullable(),
    reason: z.enum(END_REASONS).nullable(),
    servers: z.array(
      z.object({
        server: z.string(),
        state: z.enum(SERVER_STATES),
        since: z.iso.datetime(),
        providerId: z.string().nullable(),
        why: z.string().nullable(),
      }),
    ),
  })
  .meta({
    examples: [
      {
        id: '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23',
        ...EXAMPLE,
        encryption: null,
        protocolServers: null,
        createdAt: '2027-01-04T09:00:00.000Z',
        expiration: null,
        state: 'open',
        endedAt: null,
        reason: null,
        servers: [
          {
            server: 'othercloud.example.org',
            state: 'accepted',
            since: '2027-01-04T09:00:01.000Z',
            providerId: '7c084226-d9a1-41e6-bf26-cec0c932ce01',
            why: null,
          },
        ],
      },
    ],
  });
export const sharesAnswer = z.object({ shares: z.array(shareAnswer), next: z.uuid().nullable() });

export const receivedShareAnswer = z
  .object({
    id: z.uuid(),
    group: z.string(),
    sender: z.string(),
    owner: z.string(),
    server: z.string(),
    providerId: z.string(),
    type: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    protocol: z.object({
      webdav: z.object({
        uri: z.string(),
        permissions: z.array(z.enum(PERMISSIONS)),
        requirements: z.array(z.enum(REQUIREMENTS)),
        size: z.int().nullable(),
      }),
    }),
    encryption: encryption.nullable(),
    receivedAt: z.iso.datetime(),
    expiration: z.iso.datetime().nullable(),
  })
  .meta({
    examples: [
      {
        id: '5c1f2a60-5a5f-4f6e-9a51-5d2a8e0f7b11',
        group: EXAMPLE.group,
        sender: EXAMPLE.sender,
        owner: EXAMPLE.owner,
        server: 'cloud.example.org',
        providerId: '7c084226-d9a1-41e6-bf26-cec0c932ce01',
        type: 'file',
        name: EXAMPLE.resource.name,
        description: null,
        protocol: {
          webdav: {
            uri: EXAMPLE.resource.uri,
            permissions: ['read'],
            requirements: ['must-exchange-token'],
            size: EXAMPLE.resource.size,
          },
        },
        encryption: null,
        receivedAt: '2027-01-04T09:00:01.000Z',
        expiration: null,
      },
    ],
  });
export const receivedSharesAnswer = z.object({ shares: z.array(receivedShareAnswer) });

export const opening = z
  .strictObject({ member: addressField.optional() })
  .optional()
  .transform((body) => body ?? {})
  .meta({ example: { member: 'bob@othercloud.example.org' } });

export const newCredentials = z
  .strictObject({ server: hostField.optional() })
  .optional()
  .transform((body) => body ?? {})
  .meta({ example: { server: 'othercloud.example.org' } });

export const credentialsAnswer = z
  .object({ servers: z.array(z.string()) })
  .meta({ examples: [{ servers: ['othercloud.example.org'] }] });

export const fileKeyAnswer = z.object({ encryption, fileKey: z.string() }).meta({
  examples: [
    {
      encryption: {
        resourceId: EXAMPLE.resource.id,
        scheme: 'ocm-mls' as const,
        cipher: USUAL_CIPHER,
        format: FORMAT,
      },
      fileKey: 'nQdZ6Jm0oYz1vWb8r3c7GkXhT5uS2eLpRfAiBqEwM4s',
    },
  ],
});

export const openingAnswer = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().nullable(),
    uri: z.string(),
  })
  .meta({
    examples: [
      {
        access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImNsb3VkLmV4YW1wbGUub3JnI3Rva2VuIn0.e30.c2ln',
        token_type: 'Bearer',
        expires_in: 300,
        uri: EXAMPLE.resource.uri,
      },
    ],
  });
