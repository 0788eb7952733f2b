// Validation of nodes: taints, pod CIDRs, amounts, and fields that are set once.
import type {
  ConfigMapNodeConfigSource,
  Node,
  NodeAddress,
  NodeConfigSource,
  NodeConfigStatus,
  Taint,
} from "../generated/types.ts";
import { validateLenientBlock } from "../addresses-validate.ts";
import { parseBlock } from "../addresses.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import type { Draft } from "../meta.ts";
import {
  validateDataKey,
  validateLabelName,
  validateLabelValue,
  validateQualifiedName,
  validateSubdomainName,
} from "../names.ts";
import { duplicate, each, forbidden, invalid, oneOf, required, goStruct, type Outcome, together } from "../problems.ts";
import { valuesOf } from "../schema.ts";
import { validateAmount } from "../resource-names.ts";

/** A source of the spec names a ConfigMap; one of the status also its version. */
function validateConfigMap(source: ConfigMapNodeConfigSource, path: string, inStatus: boolean): readonly Problem[] {
  const validateField = (field: "namespace" | "name" | "kubeletConfigKey", validate: typeof validateDataKey) =>
    source[field] ? validate(source[field], `${path}.${field}`) : required(`${path}.${field}`, `${field} must be set`);
  return together(
    ...(["uid", "resourceVersion"] as const).map((field) =>
      inStatus
        ? !source[field] && required(`${path}.${field}`, `${field} must be set in status`)
        : source[field] && forbidden(`${path}.${field}`, `${field} must not be set in spec`),
    ),
    validateField("namespace", validateLabelName),
    validateField("name", validateSubdomainName),
    validateField("kubeletConfigKey", validateDataKey),
  );
}

/** A source of kubelet configuration. The field has no effect any more, but is still validated. */
const validateConfigSource = (source: NodeConfigSource | undefined, path: string, inStatus = false): Outcome =>
  source &&
  (source.configMap
    ? validateConfigMap(source.configMap, `${path}.configMap`, inStatus)
    : invalid(path, source, "exactly one reference subfield must be non-nil"));

const validateConfigStatus = (config: NodeConfigStatus = {}): readonly Problem[] =>
  together(
    ...(["assigned", "active", "lastKnownGood"] as const).map((field) =>
      validateConfigSource(config[field], `status.config.${field}`, true),
    ),
  );

const effects = valuesOf("io.k8s.api.core.v1.Taint", "effect");

function validateTaints(taints: readonly Taint[], path: string): readonly Problem[] {
  return each(taints, path, (taint, at, i) => {
    const { effect, key, value = "" } = taint;
    const again = taints.findIndex((t) => t.key === key && t.effect === effect) < i;
    const twice = duplicate(at, goStruct({ value, ...taint }, ["key", "value", "effect", "timeAdded"]));
    return together(
      validateQualifiedName(key, `${at}.key`),
      validateLabelValue(value, `${at}.value`),
      effect ? oneOf(effect, `${at}.effect`, effects) : required(`${at}.effect`),
      again && { ...twice, message: `${twice.message}: taints must be unique by key and effect pair` },
    );
  });
}

function validateRanges(ranges: readonly string[]): readonly Problem[] {
  const path = "spec.podCIDRs";
  const families = new Set(ranges.map((range) => parseBlock(range)?.address.bits));
  return together(
    each(ranges, path, (range, at) => validateLenientBlock(range, at, [])),
    families.size < ranges.length && invalid(path, ranges, "may specify no more than one CIDR for each IP family"),
  );
}

type Status = Draft<Node>["status"];
const validateAmounts = (status: Status): readonly Problem[] =>
  (["capacity", "allocatable"] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, text]) =>
      validateAmount(name, text, `status.${field}.${name}`),
    ),
  );

const validateAddresses = (addresses: readonly NodeAddress[]): readonly Problem[] =>
  each(
    addresses,
    "status.addresses",
    (address, at, i) =>
      addresses.findIndex((other) => sameJson(other, address)) < i &&
      duplicate(at, goStruct(address, ["type", "address"])),
  );

function validateChange({ spec }: Draft<Node>, { spec: old }: Node): readonly Problem[] {
  const known = old.podCIDRs ?? [];
  const once = (field: string): Problem =>
    forbidden(`spec.${field}`, `node updates may not change ${field.replace(/s$/, "")} except from "" to valid`);
  return together(
    known.length > 0 && !sameJson(spec.podCIDRs ?? [], known) && once("podCIDRs"),
    old.providerID && old.providerID !== spec.providerID && once("providerID"),
    validateConfigSource(spec.configSource, "spec.configSource"),
    (spec.externalID ?? "") !== (old.externalID ?? "") && forbidden("spec.externalID", "may not be updated"),
  );
}

function validateSwap(status: Status): readonly Problem[] {
  const { capacity = 1 } = status?.nodeInfo?.swap ?? {};
  return capacity > 0 ? [] : [invalid("metadata.nodeSwapStatus.capacity", capacity, "must be greater than 0")];
}

/** Validates a node; with `old`, also what changed. */
export const validateNode = (node: Draft<Node>, old?: Node): readonly Problem[] =>
  together(
    validateTaints(node.spec.taints ?? [], "metadata.taints"),
    validateAmounts(node.status),
    old ? validateChange(node, old) : [...validateSwap(node.status), ...validateRanges(node.spec.podCIDRs ?? [])],
  );

/** Validates the status of a node. */
export const validateNodeStatus = ({ status }: Node): readonly Problem[] =>
  together(validateAmounts(status), validateAddresses(status?.addresses ?? []), validateConfigStatus(status?.config));
