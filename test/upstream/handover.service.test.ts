import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { HandoverService } from '../../src/upstream/handover.service.js';

const BODY = Buffer.from('{}');
const FIELDS = Object.entries({
  'Covey-Method': 'POST',
  'Covey-Target': '/ocm/notifications',
  'Covey-Field-Host': 'b.test',
  'Covey-Field-Content-Type': 'application/json',
}).flat();

test('a process that stops says that it takes nothing over any more, so that the same is handed to another', async () => {
  const fastify = Fastify();
  fastify.post('/ocm/notifications', () => ({ taken: true }));
  await fastify.ready();
  const service = new HandoverService(
    { httpAdapter: { getInstance: () => fastify } } as never,
    { publicUrl: 'https://b.test' } as never,
    { isOurs: () => Promise.resolve(true) } as never,
    {} as never,
  );
  expect(await service.take(FIELDS, BODY, '127.0.0.1')).toMatchObject({ status: 200 });
  await fastify.close();
  await expect(service.take(FIELDS, BODY, '127.0.0.1')).rejects.toMatchObject({
    code: 'handover.stopping',
    retry: true,
  });
});
