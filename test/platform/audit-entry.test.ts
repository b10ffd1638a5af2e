import { expect, test } from 'vitest';
import { type AuditRecord, exportLine } from '../../src/platform/audit-entry.js';

const RECORD: AuditRecord = {
  number: 7,
  at: new Date('2027-01-04T09:00:00Z'),
  act: 'epoch.entered',
  actor: 'alice@a.test',
  subject: null,
  group: 'lab@a.test',
  mlsGroupId: 'AAAA',
  epoch: 0,
  digest: 'd1',
  code: null,
  facts: { arbiter: 'a.test' },
  apiKey: null,
  request: null,
};

test('a line of the export is one line of JSON and leaves out what is not known', () => {
  const line = exportLine(RECORD);
  expect(line.match(/\n/g)).toHaveLength(1);
  expect(JSON.parse(line)).toEqual({
    number: 7,
    at: '2027-01-04T09:00:00.000Z',
    act: 'epoch.entered',
    actor: 'alice@a.test',
    group: 'lab@a.test',
    mlsGroupId: 'AAAA',
    epoch: 0,
    digest: 'd1',
    facts: { arbiter: 'a.test' },
  });
  expect(JSON.parse(exportLine({ ...RECORD, facts: {} }))).not.toHaveProperty('facts');
});

test('whatever an actor is called, it stays within its line', () => {
  const line = exportLine({ ...RECORD, actor: 'a\n{"number":8}@a.test' });
  expect(line.trimEnd().split('\n')).toHaveLength(1);
});
