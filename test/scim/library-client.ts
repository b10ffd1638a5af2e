import { scimPatch, type ScimPatchOperation, type ScimResource } from 'scim-patch';
import SCIMMY from 'scimmy';
import type { List, Method, ScimClient } from './scim-client.js';

interface Described {
  readonly type: string;
  readonly name: string;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: string;
  readonly returned: string;
  readonly uniqueness: string;
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Described[];
}

const attributeOf = ({
  type,
  name,
  subAttributes = [],
  ...traits
}: Described): InstanceType<typeof SCIMMY.Types.Attribute> =>
  new SCIMMY.Types.Attribute(
    type as 'string',
    name,
    {
      multiValued: traits.multiValued,
      required: traits.required,
      caseExact: traits.caseExact,
      mutable: traits.mutability as 'readOnly',
      returned: traits.returned as 'default',
      uniqueness: traits.uniqueness as 'none',
      ...(traits.referenceTypes && { referenceTypes: [...traits.referenceTypes] }),
      ...(traits.canonicalValues && { canonicalValues: [...traits.canonicalValues] }),
    },
    subAttributes.map(attributeOf),
  );

/** SCIMMY knows schemas of the IETF's namespace only. */
const registered = (text: string): string => text.replaceAll('urn:covey:', 'urn:ietf:');

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly etag: string;
}

/**
 * A client of libraries that others made: SCIMMY writes the messages and reads each answer by the schemas that the server
 * publishes; scim-patch says what has to become of a resource that was patched.
 */
export class LibraryClient {
  private readonly definitions = new Map<string, InstanceType<typeof SCIMMY.Types.SchemaDefinition>>();

  constructor(private readonly http: ScimClient) {}

  /** Reads what is offered, as clients do first. */
  async discover(): Promise<void> {
    const schemas = new Map((await this.http.list('/Schemas')).Resources.map((one) => [one.id, one]));
    const define = (id: string) => {
      const { name, description, attributes } = schemas.get(id) as unknown as Record<string, string> & {
        attributes: Described[];
      };
      return new SCIMMY.Types.SchemaDefinition(name!, registered(id), description, attributes.map(attributeOf));
    };
    for (const { endpoint, schema, schemaExtensions = [] } of (await this.http.list('/ResourceTypes'))
      .Resources as unknown as {
      endpoint: string;
      schema: string;
      schemaExtensions?: { schema: string; required: boolean }[];
    }[]) {
      const definition = define(schema);
      for (const extension of schemaExtensions) definition.extend(define(extension.schema), extension.required);
      this.definitions.set(endpoint, definition);
    }
  }

  async send(method: Method, path: string, body?: object, headers: object = {}): Promise<Answer> {
    const answer = await this.http.ask('a.test', method, path, body, headers);
    const etag = String(answer.headers['etag']);
    if (answer.status >= 400) this.readError(answer.body);
    else if (answer.body && !path.includes('ttributes=')) this.readResource(path, answer.body);
    return { status: answer.status, body: answer.body, etag };
  }

  patch(path: string, operations: readonly object[], headers: object = {}): Promise<Answer> {
    const Operations = operations as InstanceType<typeof SCIMMY.Messages.PatchOp>['Operations'];
    const schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] = [
      'urn:ietf:params:scim:api:messages:2.0:PatchOp',
    ];
    return this.send('PATCH', path, new SCIMMY.Messages.PatchOp({ schemas, Operations }), headers);
  }

  /** What a patch makes of a resource, by scim-patch. */
  foresee(resource: object, operations: readonly object[]): Record<string, unknown> {
    return scimPatch(
      structuredClone(resource) as ScimResource,
      operations as ScimPatchOperation[],
    ) as unknown as Record<string, unknown>;
  }

  private readResource(path: string, body: Record<string, unknown>): void {
    const definition = this.definitions.get(`/${path.split(/[/?]/)[1]}`);
    const all = Array.isArray(body['Resources']) ? (body as unknown as List).Resources : [body];
    for (const one of all) definition?.coerce(JSON.parse(registered(JSON.stringify(one))) as typeof one, 'out');
  }

  /** It throws what the server said, or, when that is no error of SCIM, what is wrong with it. */
  private readError(body: Record<string, unknown>): void {
    try {
      void new SCIMMY.Messages.ErrorResponse(body);
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== 'SCIMError' || message !== body['detail']) throw error;
    }
  }
}
