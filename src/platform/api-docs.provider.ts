import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { Config } from './config.js';

const ABOUT = `Groups whose members live on several OCM servers, and what is shared with them.

Every request carries \`Authorization: Bearer <API key>\`. What creates something takes an \`Idempotency-Key\` header:
the same key with the same request is answered as the first time, and does nothing more. Errors are problem details
(RFC 9457); \`code\` is what to branch on.`;

/** The OpenAPI document of our own interface. */
export function apiDocument(app: NestFastifyApplication, config: Config): OpenAPIObject {
  const about = new DocumentBuilder()
    .setTitle('Covey')
    .setDescription(ABOUT)
    .setVersion('1')
    .setOpenAPIVersion('3.0.3')
    .addServer(config.publicUrl)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key' })
    .build();
  const document = SwaggerModule.createDocument(app, about);
  const own = Object.entries(document.paths).filter(([path]) => path.startsWith('/api/'));
  return { ...document, paths: Object.fromEntries(own) };
}

/** A page at /api/docs that needs nothing from elsewhere, and the document at /api/docs.json. */
export function serveApiDocs(app: NestFastifyApplication, config: Config): void {
  SwaggerModule.setup('api/docs', app, () => apiDocument(app, config), {
    jsonDocumentUrl: 'api/docs.json',
    raw: ['json'],
    customSiteTitle: 'Covey API',
    swaggerOptions: { validatorUrl: null, persistAuthorization: false },
  });
}
