// One request to one kind, and what every verb needs to answer it.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Registry } from "../registry/verbs.ts";
import type { ApiRequest } from "./request-response.ts";
import type { ResourcePath } from "./resource-path.ts";

/** One request to one kind. */
export interface Call {
  readonly registry: Registry;
  readonly r: ResourceDefinition;
  readonly path: ResourcePath;
  readonly request: ApiRequest;
}
