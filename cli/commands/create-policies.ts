// orrery create namespace, ingress, poddisruptionbudget, priorityclass and quota.
import type { Command } from "commander";
import { type IngressFlags, ingress } from "../generators/ingresses.ts";
import {
  type DisruptionBudgetFlags,
  namespace,
  type PriorityClassFlags,
  podDisruptionBudget,
  priorityClass,
  resourceQuota,
} from "../generators/policies.ts";
import { integer32, strings } from "../program/flag-values.ts";
import { addGenerator, type Generator } from "./create-object.ts";

const namespaces: Generator<object> = {
  name: "namespace",
  aliases: ["ns"],
  summary: "create a Namespace",
  plural: "namespaces",
  namespaced: false,
  examples: ["create namespace shop"],
  options: (command) => command,
  generate: ({ name }) => namespace(name),
};

const ingresses: Generator<IngressFlags> = {
  name: "ingress",
  aliases: ["ing"],
  summary: "create an Ingress",
  plural: "ingresses",
  namespaced: true,
  failure: "failed to create ingress: ",
  examples: ["create ingress web --class=nginx --rule='shop.example.com/cart*=web:80,tls=shop-tls'"],
  options: (command) =>
    command
      .option("--class <name>", "its class")
      .option("--rule <rule>", "HOST/PATH=SERVICE:PORT[,tls[=SECRET]]; may be repeated", strings)
      .option("--default-backend <service>", "SERVICE:PORT for what no rule matches")
      .option("--annotation <pair>", "KEY=VALUE; may be repeated", strings),
  generate: ({ name, flags }) => ingress(name, flags),
};

const podDisruptionBudgets: Generator<DisruptionBudgetFlags> = {
  name: "poddisruptionbudget",
  aliases: ["pdb"],
  summary: "create a PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  namespaced: true,
  failure: "failed to create poddisruptionbudgets: ",
  examples: ["create poddisruptionbudget web --selector=app=web --min-available=1"],
  options: (command) =>
    command
      .option("--selector <labels>", "the labels of its pods")
      .option("--min-available <n>", "how many must stay available, a number or percentage")
      .option("--max-unavailable <n>", "how many may be unavailable, a number or percentage"),
  generate: ({ name, flags }) => podDisruptionBudget(name, flags),
};

const priorityClasses: Generator<PriorityClassFlags> = {
  name: "priorityclass",
  aliases: ["pc"],
  summary: "create a PriorityClass",
  plural: "priorityclasses",
  namespaced: false,
  failure: "failed to create priorityclass: ",
  examples: ["create priorityclass high --value=1000"],
  options: (command) =>
    command
      .option("--value <n>", "the priority", integer32, 0)
      .option("--global-default", "the class of pods that name none")
      .option("--description <text>", "when to use it")
      .option("--preemption-policy <policy>", "PreemptLowerPriority or Never", "PreemptLowerPriority"),
  generate: ({ name, flags }) => priorityClass(name, flags),
};

const quotas: Generator<{ readonly hard?: string; readonly scopes?: string }> = {
  name: "quota",
  aliases: ["resourcequota"],
  summary: "create a ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
  failure: "failed to create quota: ",
  examples: ["create quota small --hard=cpu=2,memory=4Gi,pods=10"],
  options: (command) =>
    command
      .option("--hard <amounts>", "its limits, as RESOURCE=AMOUNT,...")
      .option("--scopes <scopes>", "the scopes that its objects must have"),
  generate: ({ name, flags }) => resourceQuota(name, flags),
};

/** Adds the commands to `create`. */
export function addPolicies(create: Command): void {
  addGenerator(create, namespaces);
  addGenerator(create, ingresses);
  addGenerator(create, podDisruptionBudgets);
  addGenerator(create, priorityClasses);
  addGenerator(create, quotas);
}
