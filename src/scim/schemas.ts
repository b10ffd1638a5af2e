import { CHANGE_KINDS, OPEN_STATES } from '../groups/change.js';
import { FOLLOWED } from '../groups/group.js';
import { attribute, type ResourceType, type Schema } from './schema.js';

const USER: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'A user of the domain of this server',
  attributes: [
    attribute('userName', 'string', 'The OCM Address', {
      required: true,
      mutability: 'immutable',
      uniqueness: 'server',
    }),
    attribute('displayName', 'string', 'The name of the user, for people; the OCM Address when there is none', {
      mutability: 'readWrite',
    }),
    attribute('active', 'boolean', 'Whether the user can be invited; who is not leaves all groups', {
      mutability: 'readWrite',
    }),
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
    attribute('displayName', 'string', 'The OCM Address', {
      required: true,
      mutability: 'immutable',
      uniqueness: 'server',
    }),
    attribute('members', 'complex', 'The members, on all servers; what is to change of them is pending at first', {
      multiValued: true,
      mutability: 'readWrite',
      subAttributes: [
        attribute('value', 'string', 'The OCM Address of the member', { caseExact: true, mutability: 'immutable' }),
        attribute('$ref', 'reference', 'Where the member is, if at home on this server', {
          caseExact: true,
          referenceTypes: ['User'],
        }),
        attribute('type', 'string', 'Members are users', { mutability: 'immutable', canonicalValues: ['User'] }),
        attribute('display', 'string', 'The OCM Address'),
      ],
    }),
  ],
};

/** What was asked for and is not settled. It is part of no filter that has to be fast. */
const PENDING = attribute('pending', 'complex', 'What was asked for and is not settled, oldest first', {
  multiValued: true,
  subAttributes: [
    attribute('value', 'string', 'The id of the change', { caseExact: true }),
    attribute('type', 'string', 'What is to be done', { caseExact: true, canonicalValues: CHANGE_KINDS }),
    attribute('group', 'string', 'The OCM Address of the group', { caseExact: true }),
    attribute('user', 'string', 'Whom it is about: an OCM Address', { caseExact: true }),
    attribute('by', 'string', 'In whose name it was asked: an OCM Address', { caseExact: true }),
    attribute('state', 'string', 'How far it is; what is proposed waits for an admin to approve it', {
      caseExact: true,
      canonicalValues: OPEN_STATES,
    }),
    attribute('requested', 'dateTime', 'When it was asked'),
  ],
});

/** What a user of a server of OCM-MLS has beyond a user of RFC 7643; only of users of whom something is pending. */
export const FEDERATED_USER: Schema = {
  id: 'urn:covey:params:scim:schemas:extension:User:2.0',
  name: 'FederatedUser',
  description: 'What is to become of the memberships of a user',
  attributes: [PENDING],
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
      multiValued: true,
      caseExact: true,
      mutability: 'readWrite',
    }),
    PENDING,
  ],
};

export const USERS: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  description: 'The users of the domain',
  schema: USER,
  extensions: [FEDERATED_USER],
};

export const GROUPS: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  description: 'The groups that this server follows',
  schema: GROUP,
  extensions: [FEDERATED_GROUP],
};

export const RESOURCE_TYPES: readonly ResourceType[] = [USERS, GROUPS];
export const SCHEMAS: readonly Schema[] = [USER, GROUP, FEDERATED_USER, FEDERATED_GROUP];
