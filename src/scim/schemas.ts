import { FOLLOWED } from '../groups/group.js';
import { attribute, type ResourceType, type Schema } from './schema.js';

const USER: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'A user of the domain of this server',
  attributes: [
    attribute('userName', 'string', 'The OCM Address', { required: true, uniqueness: 'server' }),
    attribute('displayName', 'string', 'The name of the user, for people'),
    attribute('active', 'boolean', 'Always true: who is not active is not known'),
    attribute('groups', 'complex', 'The groups that the user is in', {
      multiValued: true,
      subAttributes: [
        attribute('value', 'string', 'The OCM Address of the group', { caseExact: true }),
        attribute('$ref', 'reference', 'Where the group is', { caseExact: true, referenceTypes: ['Group'] }),
        attribute('display', 'string', 'The displayName of the group'),
        attribute('type', 'string', 'There are no groups in groups', { canonicalValues: ['direct'] }),
      ],
    }),
  ],
};

const GROUP: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  description: 'A federated group with a member on this server',
  attributes: [
    attribute('displayName', 'string', 'The OCM Address', { required: true, uniqueness: 'server' }),
    attribute('members', 'complex', 'The members, on all servers', {
      multiValued: true,
      subAttributes: [
        attribute('value', 'string', 'The OCM Address of the member', { caseExact: true }),
        attribute('$ref', 'reference', 'Where the member is, if at home on this server', {
          caseExact: true,
          referenceTypes: ['User'],
        }),
        attribute('type', 'string', 'Members are users', { canonicalValues: ['User'] }),
        attribute('display', 'string', 'The OCM Address'),
      ],
    }),
  ],
};

/** What a federated group has beyond a group of RFC 7643. */
export const FEDERATED_GROUP: Schema = {
  id: 'urn:covey:params:scim:schemas:extension:Group:2.0',
  name: 'FederatedGroup',
  description: 'What a group of OCM-MLS has beside its members',
  attributes: [
    attribute('mlsGroupId', 'string', 'In base64url', { required: true, caseExact: true, uniqueness: 'server' }),
    attribute('epoch', 'integer', 'The MLS epoch that the members are of', { required: true }),
    attribute('state', 'string', 'Whether this server can follow the group at the moment', {
      required: true,
      caseExact: true,
      canonicalValues: FOLLOWED,
    }),
    attribute('ownerServer', 'string', 'The server that orders the Commits', { required: true }),
    attribute('admins', 'string', 'OCM Addresses, in the order of the admin set', {
      required: true,
      multiValued: true,
      caseExact: true,
    }),
  ],
};

export const USERS: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  description: 'The users of the domain',
  schema: USER,
  extensions: [],
};

export const GROUPS: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  description: 'The groups that this server follows',
  schema: GROUP,
  extensions: [FEDERATED_GROUP],
};

export const RESOURCE_TYPES: readonly ResourceType[] = [USERS, GROUPS];
export const SCHEMAS: readonly Schema[] = [USER, GROUP, FEDERATED_GROUP];
