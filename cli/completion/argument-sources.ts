// What completes the arguments of commands.
import { clusterNodes, components, kubeconfigEntries } from "./local-names.ts";
import { directives, nothing, oneOf, type Source } from "./offer.ts";
import {
  fields,
  first,
  namesOfType,
  objects,
  podsOrWorkloads,
  podTemplates,
  podThenContainer,
  templatesThenImages,
  types,
} from "./server-names.ts";

const anything = objects();
const scalable = objects("deployment", "replicaset", "replicationcontroller", "statefulset");
const rollable = objects("deployment", "daemonset", "statefulset");
const nodes = namesOfType("nodes");
const requests = namesOfType("certificatesigningrequests");
const contexts = kubeconfigEntries("contexts");

/** A verb, then a type. */
const permission: Source = (line) => {
  if (line.args.length === 0)
    return oneOf("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")(line);
  return line.args.length === 1 ? types(line) : nothing;
};

/** A file here, or `POD:` or `NAMESPACE/` of one there. */
const podFile: Source = async (line) => {
  if (/[:/]/.test(line.toComplete)) return { candidates: [], directive: directives.none };
  const [pods, namespaces] = await Promise.all([namesOfType("pods")(line), namesOfType("namespaces")(line)]);
  const values = [
    ...pods.candidates.map(({ value }) => `${value}:`),
    ...namespaces.candidates.map(({ value }) => `${value}/`),
  ];
  return { candidates: values.map((value) => ({ value })), directive: directives.none };
};

/** By the command's path. Commands that are not listed take no arguments that could be completed. */
export const argumentSources: Readonly<Record<string, Source>> = {
  get: anything,
  describe: anything,
  delete: anything,
  edit: anything,
  patch: anything,
  label: anything,
  annotate: anything,
  wait: anything,
  debug: anything,
  "apply view-last-applied": anything,
  "apply edit-last-applied": anything,
  explain: first(fields),
  scale: scalable,
  autoscale: scalable,
  expose: objects("pod", "service", "replicationcontroller", "deployment", "replicaset"),
  "rollout status": rollable,
  "rollout history": rollable,
  "rollout undo": rollable,
  "rollout restart": rollable,
  "rollout pause": objects("deployment"),
  "rollout resume": objects("deployment"),
  "set image": templatesThenImages,
  "set env": podTemplates,
  "set resources": podTemplates,
  "set serviceaccount": podTemplates,
  "set selector": objects("services"),
  "set subject": objects("rolebindings", "clusterrolebindings"),
  logs: podThenContainer,
  exec: first(podsOrWorkloads),
  attach: first(podsOrWorkloads),
  "port-forward": first(podsOrWorkloads),
  cp: podFile,
  "top pod": first(namesOfType("pods")),
  "top node": first(nodes),
  cordon: nodes,
  uncordon: nodes,
  drain: nodes,
  taint: objects("node"),
  ui: first(types),
  why: anything,
  url: first(namesOfType("services")),
  "certificate approve": requests,
  "certificate deny": requests,
  "auth can-i": permission,
  "config use-context": first(contexts),
  "config get-contexts": first(contexts),
  "config set-context": first(contexts),
  "config rename-context": first(contexts),
  "config delete-context": first(contexts),
  "config set-cluster": first(kubeconfigEntries("clusters")),
  "config delete-cluster": first(kubeconfigEntries("clusters")),
  "config set-credentials": first(kubeconfigEntries("users")),
  "config delete-user": first(kubeconfigEntries("users")),
  "node stop": clusterNodes,
  "node start": clusterNodes,
  "node kill": clusterNodes,
  "node rm": clusterNodes,
  "component-logs": first(components),
  completion: first(oneOf("bash", "zsh", "fish")),
};
