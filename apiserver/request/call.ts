// One request to one kind, with what every verb needs to handle it.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { WritableSubresource } from "../../machinery/client.ts";
import { type Key, key } from "../../api/meta.ts";
import type { SubresourceDefinition } from "../registry/subresources.ts";
import type { Registry } from "../registry/verbs.ts";
import type { ApiReply, ApiRequest } from "./request-response.ts";
import type { ResourcePath } from "./path.ts";

/** One request to one kind. */
export interface Call {
  readonly registry: Registry;
  readonly r: ResourceDefinition;
  /** The definition of the subresource in the path. */
  readonly subresource?: SubresourceDefinition | undefined;
  readonly path: ResourcePath;
  readonly request: ApiRequest;
}

/** Handles a request to a kind. */
export type Handler = (call: Call) => Promise<ApiReply>;

/** What a call writes to. */
export const targetOf = ({
  r,
  path,
}: Pick<Call, "r" | "path">): { r: ResourceDefinition; key: Key; subresource: WritableSubresource | undefined } => ({
  r,
  key: key(path.namespace, path.name!),
  subresource: path.subresource as WritableSubresource | undefined,
});
