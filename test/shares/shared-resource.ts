import { type Discovery, discoveryDocument } from '../../src/ocm/discovery.js';
import type { Resource } from '../../src/shares/share.js';

export const RESOURCE: Resource = {
  id: 'file-1',
  type: 'file',
  name: 'data.tar',
  uri: 'https://files.a.test/webdav/data.tar',
  permissions: ['read'],
};

/** What a server of ours says of itself, as peers read it. */
export const documentOf = (domain: string): Discovery =>
  discoveryDocument({ endPoint: `https://${domain}/ocm`, provider: 'Covey' });
