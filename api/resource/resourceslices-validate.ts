// What can be wrong with the devices a driver offers, and with where it says they are.
import type { Problem } from "../errors.ts";
import type { CounterSet, Device, DeviceCounterConsumption, NodeSelector, ResourceSlice } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { each, invalid, required, tooMany } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { validateBinding } from "./device-lists-validate.ts";
import { deviceRules } from "./device-requests-validate.ts";
import { isList, validateCounters, validateDevice } from "./devices-validate.ts";

type Spec = ResourceSlice["spec"];

const mostDevices = 128;
const mostComplexDevices = 64;

const exactlyOne = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

/** Selectors of several slices must go together, which those with alternatives do not. */
const validateSelector = ({ nodeSelectorTerms: terms }: NodeSelector, path: string): readonly Problem[] =>
  terms.length === 1 ? [] : [invalid(`${path}.nodeSelectorTerms`, terms, "must have exactly one node selector term")];

/** Where the devices are is said in one of four ways. */
function validatePlace(spec: Spec): readonly Problem[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection: perDevice } = spec;
  const places = [
    ...(nodeName ? ["`nodeName`"] : []),
    ...(nodeSelector ? ["`nodeSelector`"] : []),
    ...(allNodes ? ["`allNodes`"] : []),
    ...(perDevice ? ["`perDeviceNodeSelection`"] : []),
  ];
  const unset = "must be either unset or set to true";
  return [
    ...(nodeName === "" ? [invalid("spec.nodeName", "", "must be either unset or set to a non-empty string")] : []),
    ...(nodeSelector ? validateSelector(nodeSelector, "spec.nodeSelector") : []),
    ...(allNodes === false ? [invalid("spec.allNodes", false, unset)] : []),
    ...(perDevice === false ? [invalid("spec.perDeviceNodeSelection", false, unset)] : []),
    ...(places.length === 0 ? [required("spec", exactlyOne)] : []),
    ...(places.length > 1
      ? [invalid("spec", `{${places.join(", ")}}`, `${exactlyOne}, but multiple fields are set`)]
      : []),
  ];
}

/** What makes devices dear to choose from: of such there may be fewer. */
const isComplex = ({ taints, consumesCounters, attributes = {} }: Device): boolean =>
  (taints?.length ?? 0) > 0 || (consumesCounters?.length ?? 0) > 0 || Object.values(attributes).some(isList);

export function validateSlice({ spec }: Draft<ResourceSlice>): readonly Problem[] {
  const { devices = [], sharedCounters } = spec;
  const most = devices.some(isComplex) ? mostComplexDevices : mostDevices;
  const isApart = spec.perDeviceNodeSelection === true;
  return [
    ...validatePlace(spec),
    ...(spec.devices && sharedCounters
      ? [invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed")]
      : []),
    ...(devices.length > most
      ? [tooMany("spec.devices", devices.length, most)]
      : each(devices, "spec.devices", (d, path) => validateDevice(d, path, isApart))),
  ];
}

const validateCounterSet = ({ counters }: CounterSet | DeviceCounterConsumption, path: string): readonly Problem[] =>
  validateCounters(counters, `${path}.counters`);

export const sliceRules: Rules = {
  ...deviceRules,
  CounterSet: validateCounterSet,
  Device: validateBinding,
  DeviceCounterConsumption: validateCounterSet,
};
