// ResourceSlice: devices that a driver publishes, on one node or accessible from several.
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import type { Device, ResourceSlice } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { each, invalid, together, tooMany } from "../problems.ts";
import { isList, sliceRules, validateExactlyOne, validateNodes } from "./devices.ts";

const mostDevices = 128;
const mostComplexDevices = 64;
const exactlyOne = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
const unset = "must be either unset or set to true";

/** The nodes that have access to the devices are given in one of four ways. */
function validatePlace(spec: ResourceSlice["spec"]): readonly Problem[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const terms = nodeSelector?.nodeSelectorTerms;
  return together(
    nodeName === "" && invalid("spec.nodeName", "", "must be either unset or set to a non-empty string"),
    terms &&
      terms.length !== 1 &&
      invalid("spec.nodeSelector.nodeSelectorTerms", terms, "must have exactly one node selector term"),
    allNodes === false && invalid("spec.allNodes", false, unset),
    perDeviceNodeSelection === false && invalid("spec.perDeviceNodeSelection", false, unset),
    validateExactlyOne(
      { nodeName, nodeSelector, allNodes, perDeviceNodeSelection },
      "spec",
      exactlyOne,
      `${exactlyOne}, but multiple fields are set`,
    ),
  );
}

/** Devices that are expensive to allocate: a slice holds fewer of them. */
const isComplex = ({ taints, consumesCounters, attributes = {} }: Device): boolean =>
  (taints?.length ?? 0) > 0 || (consumesCounters?.length ?? 0) > 0 || Object.values(attributes).some(isList);

function validate({ spec }: Draft<ResourceSlice>): readonly Problem[] {
  const { devices, sharedCounters, perDeviceNodeSelection } = spec;
  const count = devices?.length ?? 0;
  const most = devices?.some(isComplex) ? mostComplexDevices : mostDevices;
  return together(
    validatePlace(spec),
    devices && sharedCounters && invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed"),
    count > most
      ? tooMany("spec.devices", count, most)
      : each(devices, "spec.devices", (d, path) => validateNodes(d, path, perDeviceNodeSelection === true)),
  );
}

export const resourceSlices = define<ResourceSlice>({
  group: "resource.k8s.io",
  kind: "ResourceSlice",
  scope: "Cluster",
  generation: "spec",
  selectable: { "spec.driver": (s) => s.spec.driver, "spec.nodeName": (s) => s.spec.nodeName ?? "" },
  rules: sliceRules,
  validate,
  columns: [
    nameColumn,
    { name: "Node", cell: (s) => s.spec.nodeName ?? "" },
    { name: "Driver", cell: (s) => s.spec.driver },
    { name: "Pool", cell: (s) => s.spec.pool.name },
    ageColumn,
  ],
});
