// The parts of an OpenAPI document that /docs uses. Only the type checker reads this file.

interface OpenApi {
  openapi: string;
  info: { version: string; description: string };
  tags: Tag[];
  paths: Record<string, PathItem>;
}

interface Tag {
  name: string;
  description: string;
}

interface Reference {
  $ref: string;
}

interface PathItem {
  parameters?: (Parameter | Reference)[];
  get?: OperationObject;
  post?: OperationObject;
}

interface OperationObject {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: object[];
  parameters?: (Parameter | Reference)[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, ResponseObject | Reference>;
}

/** An operation with its method, path and resolved parameters. */
interface Operation extends OperationObject {
  method: string;
  path: string;
  parameters: Parameter[];
}

interface Parameter {
  name: string;
  in: string;
  schema: Schema | Reference;
  required?: boolean;
  description?: string;
  example?: string | number;
}

interface MediaType {
  schema: Schema | Reference;
  example?: unknown;
}

interface ResponseObject {
  description: string;
  content?: Record<string, MediaType>;
  headers?: Record<string, { description: string }>;
}

interface Schema {
  type?: string | string[];
  format?: string;
  description?: string;
  anyOf?: (Schema | Reference)[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  pattern?: string;
  items?: Schema | Reference | false;
  prefixItems?: (Schema | Reference)[];
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema | Reference>;
  required?: string[];
}

/** The arguments of `fetch` as one object. */
interface Asked extends RequestInit {
  url: string | URL;
}
