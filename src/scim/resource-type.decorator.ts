import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { ResourceType } from './schema.js';
import { GROUPS, USERS } from './schemas.js';

/** The endpoints of all types, and what is below them. */
export const COLLECTIONS = ['Users', 'Groups'];
export const RESOURCES = ['Users/:id', 'Groups/:id'];

/** The type whose endpoint was asked. */
export const OfType = createParamDecorator((_: unknown, context: ExecutionContext): ResourceType => {
  const { url = '' } = context.switchToHttp().getRequest<FastifyRequest>().routeOptions;
  return url.includes(GROUPS.endpoint) ? GROUPS : USERS;
});
