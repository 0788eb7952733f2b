// The registry as every cluster composes it: with the admission plugins that are enabled by default. The server, the
// simulation and tests share it.
import { builtinKinds } from "../api/builtin/kinds.ts";
import { kindRegistry } from "../machinery/kind-registry.ts";
import type { World } from "../machinery/world.ts";
import { type AdmissionConfig, admissionPlugins } from "./admission/plugins.ts";
import type { AddressRanges } from "./admission/services.ts";
import { authenticatedUsers } from "./authorization/authorizer.ts";
import { registry, type RegistryOptions } from "./registry/registry.ts";
import type { Registry } from "./registry/verbs.ts";
import type { Storage } from "./storage/storage.ts";

/** What a cluster may choose. The kinds default to the built-in ones, the rest to Kubernetes' own values. */
type ClusterRegistryOptions = AddressRanges & Partial<AdmissionConfig & Omit<RegistryOptions, "admission">>;

/** The registry of one cluster. */
export const clusterRegistry = (
  storage: Storage,
  world: World,
  { kinds = kindRegistry(builtinKinds), authorizer = authenticatedUsers, ...config }: ClusterRegistryOptions,
): Registry => registry(storage, world, { kinds, authorizer, admission: admissionPlugins(world, authorizer, config) });
