// The registry as every cluster composes it: with the admission plugins that are enabled by default. The server, the
// simulation and tests share it.
import { builtinKinds } from "../api/builtin/kinds.ts";
import { kindRegistry } from "../machinery/kind-registry.ts";
import type { World } from "../machinery/world.ts";
import { type AdmissionConfig, admissionPlugins } from "./admission/plugins.ts";
import type { AddressRanges } from "./admission/service-addresses.ts";
import { registry, type RegistryOptions } from "./registry/registry.ts";
import type { Registry } from "./registry/verbs.ts";
import type { Storage } from "./storage/storage.ts";

/** The kinds default to the built-in ones. */
export const clusterRegistry = (
  storage: Storage,
  world: World,
  {
    kinds = kindRegistry(builtinKinds),
    ...config
  }: AddressRanges & Partial<AdmissionConfig & Pick<RegistryOptions, "kinds">>,
): Registry => registry(storage, world, { kinds, admission: admissionPlugins(world, config) });
