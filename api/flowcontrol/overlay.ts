// Facts that the published schemas of the flowcontrol group lack.
import { type Facts, needed, otherwise, type Overlay, present, values } from "../overlay.ts";

const positive: Facts = { bounds: [1, null, "must be positive"] };
const nonNegative: Facts = { bounds: [0, null, "must be a non-negative integer"] };
const percent: Facts = { default: 0, bounds: [0, 100] };
const verbs: Facts = { nonEmpty: "verbs must contain at least one value" };
const condition: Overlay[string] = { type: { nonEmpty: "must not be empty" } };
const status: Overlay[string] = { conditions: { unique: ["type"] } };

export const flowcontrolOverlay: Overlay = {
  ExemptPriorityLevelConfiguration: {
    lendablePercent: percent,
    nominalConcurrencyShares: { default: 0, ...nonNegative },
  },
  FlowSchema: { status: present },
  FlowSchemaCondition: condition,
  FlowSchemaSpec: {
    matchingPrecedence: {
      ...otherwise(1000),
      bounds: [1, 10_000, "must be a positive value", "must not be greater than 10000"],
    },
  },
  FlowSchemaStatus: status,
  GroupSubject: { name: needed },
  LimitResponse: { type: values("Queue", "Reject") },
  LimitedPriorityLevelConfiguration: {
    borrowingLimitPercent: { bounds: [0, null, "if specified, must be a non-negative integer"] },
    lendablePercent: percent,
    nominalConcurrencyShares: { default: 30, ...nonNegative },
  },
  NonResourcePolicyRule: {
    verbs,
    nonResourceURLs: { nonEmpty: "nonResourceURLs must contain at least one value" },
  },
  PolicyRulesWithSubjects: { subjects: { nonEmpty: "subjects must contain at least one value" } },
  PriorityLevelConfiguration: { status: present },
  PriorityLevelConfigurationCondition: condition,
  PriorityLevelConfigurationReference: {
    name: { nonEmpty: "must reference a priority level", format: "k8s-long-name" },
  },
  PriorityLevelConfigurationSpec: { type: values("Exempt", "Limited") },
  PriorityLevelConfigurationStatus: status,
  QueuingConfiguration: {
    handSize: { default: 8, ...positive },
    queueLengthLimit: { default: 50, ...positive },
    queues: { default: 64, bounds: [1, 10_000_000, "must be positive", "must not be greater than 10000000"] },
  },
  ResourcePolicyRule: {
    verbs,
    apiGroups: { nonEmpty: "resource rules must supply at least one api group" },
    resources: { nonEmpty: "resource rules must supply at least one resource" },
  },
  Subject: { kind: values("Group", "ServiceAccount", "User") },
  UserSubject: { name: needed },
};
