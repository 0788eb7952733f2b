// What completes the values of flags.
import type { Option } from "commander";
import { clusterNodes, clusters, kubeconfigEntries } from "./local-names.ts";
import { commaSeparated, files, folders, manifests, nothing, oneOf, type Source, words } from "./offer.ts";
import { containers, groups, namesOfType, objects, podsOrWorkloads, types } from "./server-names.ts";

const verbs = oneOf("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch");

/** Flags of all commands, and `COMMAND --flag` where a command differs. */
const sources: Readonly<Record<string, Source>> = {
  "--namespace": namesOfType("namespaces"),
  "--context": kubeconfigEntries("contexts"),
  "--cluster": kubeconfigEntries("clusters"),
  "--user": kubeconfigEntries("users"),
  "--kubeconfig": files,
  "--kuberc": files,
  "--certificate-authority": files,
  "--client-certificate": files,
  "--client-key": files,
  "--profile-output": files,
  "--cache-dir": folders,
  "--filename": manifests,
  "--kustomize": folders,
  "--patch-file": files,
  "--from-file": files,
  "--from-env-file": files,
  "--cert": files,
  "--key": files,
  "--config": files,
  "--dry-run": oneOf("none", "server", "client"),
  "--cascade": oneOf("background", "foreground", "orphan"),
  "--validate": oneOf("strict", "warn", "ignore"),
  "--subresource": oneOf("status", "scale", "resize"),
  "--container": containers,
  "--containers": containers,
  "--verbs": commaSeparated(verbs),
  "--verb": commaSeparated(verbs),
  "--resource": commaSeparated(types),
  "--role": namesOfType("roles"),
  "--clusterrole": namesOfType("clusterroles"),
  "--class": namesOfType("ingressclasses"),
  "--api-group": groups(false),
  "--api-version": groups(true),
  "--categories": oneOf("all", "api-extensions"),
  "--bound-object-kind": oneOf("Node", "Pod", "Secret"),
  "--node": clusterNodes,
  "--name": clusters,
  "expose --name": () => nothing,
  "autoscale --name": () => nothing,
  "exec --filename": manifests,
  "create rolebinding --user": () => nothing,
  "create clusterrolebinding --user": () => nothing,
  "set subject --user": () => nothing,
  "create job --from": objects("cronjob/"),
  "set env --from": objects("configmap/", "secret/"),
  "wait --for": oneOf("create", "delete", "condition=", "jsonpath="),
  "events --for": (line) => podsOrWorkloads({ ...line, args: [] }),
  "get --raw": oneOf(
    "/api",
    "/apis",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/readyz",
    "/version",
  ),
  "component-logs --output": oneOf("json"),
  "server --store": oneOf("sqlite", "memory"),
  "rebalance --strategy": commaSeparated(async () => {
    const { strategies } = await import("../../controllers/descheduler/strategies.ts");
    return words(strategies.map(({ name }) => name));
  }),
};

/** The words of a description that ends in a list, such as `how it is patched: json, merge or strategic`. */
export function listedValues(description: string): readonly string[] {
  const [, list = ""] = /^(?:.*: )?([\w-]+(?:, [\w-]+)*(?: or [\w-]+)?)$/.exec(description) ?? [];
  return list.split(/, | or /).filter((word) => word !== "");
}

/** What completes the value of a flag of a command. */
export function flagSource(path: string, { long, description }: Option): Source {
  const source = sources[`${path} ${long}`] ?? sources[long ?? ""];
  return source ?? (() => words(listedValues(description)));
}
