// What can be wrong with the devices a driver offers, and with where it says they are.
import type { Problem } from "../errors.ts";
import type { CounterSet, Device, NodeSelector, ResourceSlice } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import { validateNodeSelector } from "../core/pod/validate-placement.ts";
import { invalid, required, unchanged } from "../problems.ts";
import { validateSet } from "./device-lists-validate.ts";
import { validatePoolName } from "./device-names-validate.ts";
import { isList, validateCounters, validateDevice } from "./devices-validate.ts";
import { validateDriverName } from "../core/storage-drivers.ts";

type Spec = ResourceSlice["spec"];

const mostDevices = 128;
const mostComplexDevices = 64;
const mostCounterSets = 8;

const exactlyOne = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

/** Selectors of several slices must go together, which those with alternatives do not. */
function validateSelector(selector: NodeSelector, path: string): readonly Problem[] {
  const { nodeSelectorTerms: terms = [] } = selector;
  return [
    ...validateNodeSelector(selector, path),
    ...(terms.length === 1
      ? []
      : [invalid(`${path}.nodeSelectorTerms`, terms, "must have exactly one node selector term")]),
  ];
}

/** Where the devices are is said in one of four ways. */
function validatePlace(spec: Spec): readonly Problem[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection: perDevice } = spec;
  const said = [
    ...(nodeName ? ["`nodeName`"] : []),
    ...(nodeSelector ? ["`nodeSelector`"] : []),
    ...(allNodes ? ["`allNodes`"] : []),
    ...(perDevice ? ["`perDeviceNodeSelection`"] : []),
  ];
  const unset = "must be either unset or set to true";
  return [
    ...(nodeName === "" ? [invalid("spec.nodeName", "", "must be either unset or set to a non-empty string")] : []),
    ...validateSubdomainName(nodeName, "spec.nodeName"),
    ...(nodeSelector ? validateSelector(nodeSelector, "spec.nodeSelector") : []),
    ...(allNodes === false ? [invalid("spec.allNodes", false, unset)] : []),
    ...(perDevice === false ? [invalid("spec.perDeviceNodeSelection", false, unset)] : []),
    ...(said.length === 0 ? [required("spec", exactlyOne)] : []),
    ...(said.length > 1 ? [invalid("spec", `{${said.join(", ")}}`, `${exactlyOne}, but multiple fields are set`)] : []),
  ];
}

function validatePool({ pool }: Spec): readonly Problem[] {
  const { name, resourceSliceCount: count = 0, generation = 0 } = pool ?? {};
  return [
    ...validatePoolName(name, "spec.pool.name"),
    ...(count > 0 ? [] : [invalid("spec.pool.resourceSliceCount", count, "must be greater than zero")]),
    ...(generation >= 0 ? [] : [invalid("spec.pool.generation", generation, "must be greater than or equal to zero")]),
  ];
}

const validateCounterSet = ({ name, counters }: CounterSet, path: string): readonly Problem[] => [
  ...(name ? validateLabelName(name, `${path}.name`) : [required(`${path}.name`)]),
  ...validateCounters(counters, `${path}.counters`),
];

/** What makes devices dear to choose from: of such there may be fewer. */
const isComplex = ({ taints, consumesCounters, attributes = {} }: Device): boolean =>
  (taints?.length ?? 0) > 0 || (consumesCounters?.length ?? 0) > 0 || Object.values(attributes).some(isList);

/** What ties a slice to its driver, its pool and its node stays. */
const validateChange = (spec: Spec, old: Spec): readonly Problem[] => [
  ...unchanged(spec.pool.name, old.pool.name, "spec.pool.name"),
  ...unchanged(spec.driver, old.driver, "spec.driver"),
  ...unchanged(spec.nodeName, old.nodeName, "spec.nodeName"),
];

export function validateSlice({ metadata, spec }: Draft<ResourceSlice>, old?: ResourceSlice): readonly Problem[] {
  const { devices, sharedCounters } = spec;
  const most = (devices ?? []).some(isComplex) ? mostComplexDevices : mostDevices;
  const before = new Map((old?.spec.devices ?? []).map((d) => [d.name, d]));
  const validateOne = (d: Device, path: string): readonly Problem[] =>
    validateDevice(d, path, before.get(d.name), spec.perDeviceNodeSelection === true);
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...validateDriverName(spec.driver, "spec.driver"),
    ...validatePool(spec),
    ...(old ? validateChange(spec, old.spec) : []),
    ...validatePlace(spec),
    ...(devices && sharedCounters ? [invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed")] : []),
    ...validateSet(devices, "spec.devices", most, validateOne, (d) => d.name),
    ...validateSet(sharedCounters, "spec.sharedCounters", mostCounterSets, validateCounterSet, (c) => c.name),
  ];
}
